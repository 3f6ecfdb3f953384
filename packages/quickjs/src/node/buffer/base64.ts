const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES: ReadonlyMap<string, number> = new Map(
  Array.from(DIGITS + URL_DIGITS, (digit, index) => [digit, index % DIGITS.length] as const),
);

export function encodeBase64(bytes: Uint8Array, forUrl: boolean): string {
  const digits = forUrl ? URL_DIGITS : DIGITS;
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const count = Math.min(3, bytes.length - at) + 1;
    for (let index = 0; index < 4; index++) {
      if (index < count) text += digits[(group >> (18 - 6 * index)) & 0x3f] ?? "";
      else if (!forUrl) text += "=";
    }
  }
  return text;
}

/** Either alphabet, up to the first `=`; what is no digit is passed over. */
export function decodeBase64(text: string): Uint8Array {
  const bytes: number[] = [];
  let group = 0;
  let bits = 0;
  for (const character of text) {
    if (character === "=") break;
    const value = VALUES.get(character);
    if (value === undefined) continue;
    group = ((group << 6) | value) & 0xff_ffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((group >> bits) & 0xff);
  }
  return Uint8Array.from(bytes);
}
