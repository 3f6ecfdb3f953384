import { isIPv4 } from "node:net";

/** Frames as a machine writes them to its tap. The kernel answers none whose checksum is wrong. */
export interface FrameOptions {
  readonly from: string;
  readonly to: string;
  readonly mac?: string;
  /** Before the protocol's number and the payload: a tag of a virtual network. */
  readonly vlan?: number;
  /** IPv4: the flags and the offset of a part; words of options. IPv6: headers between, each with its number. */
  readonly fragment?: number;
  readonly options?: Buffer;
  readonly extension?: { readonly kind: number; readonly header: Buffer };
  readonly hopLimit?: number;
}

export const MAC = "02:00:00:00:00:01";
const OTHER_MAC = "02:00:00:00:00:02";
const [IPV4, IPV6, ARP, VLAN] = [0x0800, 0x86dd, 0x0806, 0x8100];
export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const ICMPV6 = 58;

export function ethernet(
  kind: number,
  payload: Buffer,
  { mac = MAC, vlan }: Pick<FrameOptions, "mac" | "vlan"> = {},
): Buffer {
  const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(":", ""), "hex");
  const tag = vlan === undefined ? [] : [words(VLAN, vlan)];
  return Buffer.concat([bytes(OTHER_MAC), bytes(mac), ...tag, words(kind), payload]);
}

export function packet(protocol: number, payload: Buffer, options: FrameOptions): Buffer {
  return isIPv4(options.from) ? packet4(protocol, payload, options) : packet6(protocol, payload, options);
}

function packet4(protocol: number, payload: Buffer, frame: FrameOptions): Buffer {
  const { from, to, fragment = 0, options = Buffer.alloc(0) } = frame;
  const header = Buffer.alloc(20);
  header[0] = 0x45 + options.length / 4;
  header.writeUInt16BE(20 + options.length + payload.length, 2);
  header.writeUInt16BE(fragment, 6);
  header[8] = 64;
  header[9] = protocol;
  header.set(address(from), 12);
  header.set(address(to), 16);
  const whole = Buffer.concat([header, options]);
  header.writeUInt16BE(checksum(whole), 10);
  const pseudo = Buffer.concat([header.subarray(12), words(protocol, payload.length)]);
  return ethernet(IPV4, Buffer.concat([header, options, summed(protocol, payload, pseudo)]), frame);
}

function packet6(protocol: number, payload: Buffer, frame: FrameOptions): Buffer {
  const { from, to, extension, hopLimit = 64 } = frame;
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  const between = extension === undefined ? Buffer.alloc(0) : Buffer.concat([Buffer.of(protocol), extension.header]);
  header.writeUInt16BE(between.length + payload.length, 4);
  header[6] = extension?.kind ?? protocol;
  header[7] = hopLimit;
  header.set(address(from), 8);
  header.set(address(to), 24);
  const pseudo = Buffer.concat([header.subarray(8), words(0, payload.length, 0, protocol)]);
  return ethernet(IPV6, Buffer.concat([header, between, summed(protocol, payload, pseudo)]), frame);
}

/** Of UDP, and of TCP by its flags. */
export function ports(from: number, to: number, flags?: number): Buffer {
  if (flags === undefined) return words(from, to, 8, 0);
  return Buffer.concat([words(from, to, 0, 1, 0, 1), Buffer.of(0x50, flags), words(1000, 0, 0)]);
}

export function arp(senderMac: string, sender: string, target: string): Buffer {
  const mac = Buffer.from(senderMac.replaceAll(":", ""), "hex");
  const [from, to] = [address(sender), address(target)];
  return ethernet(ARP, Buffer.concat([words(1, IPV4), Buffer.of(6, 4), words(1), mac, from, Buffer.alloc(6), to]));
}

/** A question for, or a message about, a neighbour's address. */
export function neighbour6(
  type: number,
  target: string,
  { from, more = Buffer.alloc(0) }: { readonly from: string; readonly more?: Buffer },
): Buffer {
  const payload = Buffer.concat([Buffer.of(type, 0, 0, 0, 0, 0, 0, 0), address(target), more]);
  return packet(ICMPV6, payload, { from, to: "ff02::1:ff00:9", hopLimit: 255 });
}

export function words(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 2);
  for (const [place, value] of values.entries()) buffer.writeUInt16BE(value, place * 2);
  return buffer;
}

export function address(text: string): Buffer {
  if (isIPv4(text)) return Buffer.from(text.split(".").map(Number));
  const [head = "", tail = ""] = text.split("::");
  const groups = (part: string): number[] => (part === "" ? [] : part.split(":").map((group) => Number(`0x${group}`)));
  const [first, last] = [groups(head), groups(tail)];
  return words(...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last);
}

function summed(protocol: number, payload: Buffer, pseudo: Buffer): Buffer {
  const place = { [ICMP]: 2, [TCP]: 16, [ICMPV6]: 2 }[protocol];
  if (place === undefined) return payload;
  const sum = checksum(protocol === ICMP ? payload : Buffer.concat([pseudo, payload]));
  return Buffer.concat([payload.subarray(0, place), words(sum), payload.subarray(place + 2)]);
}

function checksum(header: Buffer): number {
  let sum = 0;
  for (let place = 0; place < header.length; place += 2) sum += header.readUInt16BE(place);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
