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

/** As RFC 5952 writes it. */
export function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${Array.from(bytes.subarray(12)).join(".")}`;
  }
  const text = groups.map((group) => group.toString(16)).join(":");
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length);
  const longest = runs[0];
  if (longest === undefined) return text;
  const [before, after] = [text.slice(0, longest.index), text.slice(longest.index + longest[0].length)];
  return `${before}::${after.replace(/^:/, "")}`;
}
