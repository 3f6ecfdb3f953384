import type { LoggedPacket } from "@kata-ts/linux";
import { formatAddress } from "./ipv4.ts";
import { LOG_ALLOWED } from "./router-rules.ts";

/** What became of something that a guest wanted from the network. */
export interface EgressDecision {
  readonly verdict: "allowed" | "refused";
  /** `dns`: a name was asked for; else the protocol of a packet, by its number where it is another. */
  readonly protocol: string;
  /** Of `dns`: in lower case; what no host name has in it is escaped. */
  readonly name?: string;
  /** Where a packet was to go. */
  readonly address?: string;
  readonly port?: number;
}

const PROTOCOLS: Readonly<Record<number, string>> = { 1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6" };

/** What a rule's verdict was about; undefined for packets that are too short to say. */
export function decisionOf({ prefix, payload }: LoggedPacket): EgressDecision | undefined {
  const verdict = prefix === LOG_ALLOWED ? "allowed" : "refused";
  const packet = (payload[0] ?? 0) >> 4 === 6 ? readIpv6(payload) : readIpv4(payload);
  if (packet === undefined) return undefined;
  const { protocol, address, transport } = packet;
  const hasPort = (protocol === 6 || protocol === 17) && transport.length >= 4;
  return {
    verdict,
    protocol: PROTOCOLS[protocol] ?? String(protocol),
    address,
    ...(hasPort ? { port: transport.readUInt16BE(2) } : {}),
  };
}

interface ReadPacket {
  readonly protocol: number;
  readonly address: string;
  readonly transport: Buffer;
}

function readIpv4(packet: Buffer): ReadPacket | undefined {
  if (packet.length < 20 || packet.readUInt8(0) >> 4 !== 4) return undefined;
  const isFirst = (packet.readUInt16BE(6) & 0x1fff) === 0;
  const transport = isFirst ? packet.subarray((packet.readUInt8(0) & 0xf) * 4) : Buffer.alloc(0);
  return { protocol: packet.readUInt8(9), address: formatAddress(packet.readUInt32BE(16)), transport };
}

function readIpv6(packet: Buffer): ReadPacket | undefined {
  if (packet.length < 40) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) => packet.readUInt16BE(24 + index * 2).toString(16));
  // A URL's host is the short form.
  const address = new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
  return { protocol: packet.readUInt8(6), address, transport: packet.subarray(40) };
}

/** A decision as a line for people: `refused tcp 192.0.2.1:443`, `allowed dns example.org`. */
export function describeDecision({ verdict, protocol, name, address = "", port }: EgressDecision): string {
  const place = port === undefined ? address : `${address.includes(":") ? `[${address}]` : address}:${String(port)}`;
  return `${verdict} ${protocol} ${name ?? place}`;
}
