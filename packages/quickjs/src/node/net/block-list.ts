import { invalidArgument, nodeError, outOfRange } from "../errors.ts";
import { ipv4Bytes, ipv6Bytes } from "./ip.ts";

type Family = "ipv4" | "ipv6";

/** Whether an address is among addresses, ranges of them, and networks. */
export class BlockList {
  readonly #rules: ((bytes: readonly number[]) => boolean)[] = [];

  addAddress(address: string, family: Family = "ipv4"): void {
    const wanted = bytesOf(address, family);
    this.#rules.push((bytes) => compare(bytes, wanted) === 0);
  }

  addRange(first: string, last: string, family: Family = "ipv4"): void {
    const [low, high] = [bytesOf(first, family), bytesOf(last, family)];
    if (compare(low, high) > 0)
      throw nodeError("ERR_INVALID_ARG_VALUE", `The argument 'start' must come before ${last}`);
    this.#rules.push((bytes) => compare(bytes, low) >= 0 && compare(bytes, high) <= 0);
  }

  addSubnet(network: string, prefix: number, family: Family = "ipv4"): void {
    const wanted = bytesOf(network, family);
    const longest = 8 * wanted.length;
    if (typeof prefix !== "number") throw invalidArgument("prefix", "of type number", prefix);
    if (!(prefix >= 0 && prefix <= longest)) throw outOfRange("prefix", `>= 0 && <= ${String(longest)}`, prefix);
    this.#rules.push((bytes) => {
      const alike = wanted.length === 4 ? asIPv4(bytes) : bytes.length === 4 ? [...MAPPED, ...bytes] : bytes;
      return alike !== undefined && isSameNetwork(alike, wanted, prefix);
    });
  }

  check(address: string, family: Family = "ipv4"): boolean {
    const bytes = family === "ipv6" ? ipv6Bytes(address) : ipv4Bytes(address);
    return bytes !== undefined && this.#rules.some((isAmong) => isAmong(bytes));
  }
}

function bytesOf(address: string, family: Family): readonly number[] {
  const bytes = family === "ipv6" ? ipv6Bytes(address) : ipv4Bytes(address);
  if (bytes === undefined) throw nodeError("ERR_INVALID_ADDRESS", "Invalid address");
  return bytes;
}

/** What IPv4's addresses begin with as addresses of IPv6: ::ffff:0:0/96. */
const MAPPED: readonly number[] = [...Array.from({ length: 10 }, () => 0), 0xff, 0xff];

/** @returns undefined for an address of IPv6 that stands for none of IPv4 */
function asIPv4(bytes: readonly number[]): readonly number[] | undefined {
  if (bytes.length === 4) return bytes;
  return MAPPED.every((byte, index) => byte === bytes[index]) ? bytes.slice(MAPPED.length) : undefined;
}

/** @returns NaN for an address of IPv4 and one of IPv6 that stands for none of it: they are neither the same nor in order */
function compare(left: readonly number[], right: readonly number[]): number {
  const [one, other] = left.length === right.length ? [left, right] : [asIPv4(left), asIPv4(right)];
  if (one === undefined || other === undefined) return Number.NaN;
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at === -1 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}

function isSameNetwork(left: readonly number[], right: readonly number[], prefix: number): boolean {
  return left.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefix - 8 * index));
    return (byte ^ (right[index] ?? 0)) >> (8 - bits) === 0;
  });
}
