import { isIPv4 } from "node:net";

/** A range of IPv4 addresses: the first one as a number, and how many leading bits all have in common. */
export interface Subnet {
  readonly base: number;
  readonly bits: number;
}

/** @param text such as `10.1.0.0/16`, or an address alone; undefined for anything else, also with bits beyond the prefix */
export function parseSubnet(text: string): Subnet | undefined {
  const [address = "", length = "32", ...more] = text.split("/");
  if (!isIPv4(address) || !/^\d{1,2}$/.test(length) || Number(length) > 32 || more.length > 0) return undefined;
  const subnet = { base: numberOf(address), bits: Number(length) };
  return subnet.base % sizeOf(subnet) === 0 ? subnet : undefined;
}

export function formatSubnet({ base, bits }: Subnet): string {
  return `${formatAddress(base)}/${String(bits)}`;
}

export function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => String((value >>> shift) & 0xff)).join(".");
}

/** Whether they have an address in common. */
export function overlap(one: Subnet, other: Subnet): boolean {
  return one.base < other.base + sizeOf(other) && other.base < one.base + sizeOf(one);
}

export function sizeOf({ bits }: Subnet): number {
  return 2 ** (32 - bits);
}

function numberOf(address: string): number {
  return address.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}
