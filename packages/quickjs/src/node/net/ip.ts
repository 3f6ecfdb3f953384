/** Addresses as text, and their bytes. */

export function isIPv4(text: unknown): boolean {
  return ipv4Bytes(text) !== undefined;
}

export function isIPv6(text: unknown): boolean {
  return ipv6Bytes(text) !== undefined;
}

/** 4, 6, or 0 for what is no address. */
export function isIP(text: unknown): 0 | 4 | 6 {
  if (isIPv4(text)) return 4;
  return isIPv6(text) ? 6 : 0;
}

export function ipv4Bytes(text: unknown): number[] | undefined {
  const parts = String(text).split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

/** With or without a zone, which has no bytes. */
export function ipv6Bytes(text: unknown): number[] | undefined {
  const [address = "", zone] = String(text).split("%");
  if (zone === "" || String(text).split("%").length > 2) return undefined;
  const halves = withoutDots(address)?.split("::");
  if (halves === undefined || halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
}

/** The last two groups may be written as an address of IPv4. */
function withoutDots(address: string): string | undefined {
  if (!address.includes(".")) return address;
  const at = address.lastIndexOf(":") + 1;
  const [a = 0, b = 0, c = 0, d = 0] = ipv4Bytes(address.slice(at)) ?? [Number.NaN];
  if (at === 0 || Number.isNaN(a)) return undefined;
  return `${address.slice(0, at)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** As RFC 5952 writes it: with an address of IPv4 in it, where that is what it stands for. */
export function ipv6Text(bytes: Uint8Array): string {
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? `::ffff:${Array.from(bytes.subarray(12)).join(".")}` : groupsText(bytes);
}

/** The groups alone, the first of the longest runs of zeros left out. */
export function groupsText(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0));
  let [start, length] = [0, 1];
  for (const at of groups.keys()) {
    const end = groups.findIndex((group, index) => index >= at && group !== 0);
    const zeros = (end === -1 ? groups.length : end) - at;
    if (zeros > length) [start, length] = [at, zeros];
  }
  const text = groups.map((group) => group.toString(16));
  if (length === 1) return text.join(":");
  return `${text.slice(0, start).join(":")}::${text.slice(start + length).join(":")}`;
}
