import type { MacvtapConnection, TcFilterConnection } from "./connection.ts";

/** What may go out at once: what is sent in a hundredth of a second, and never less than the largest frame. */
const BURST_SECONDS = 0.01;
const LEAST_BURST = 128 * 1024;
/** How long a frame may wait for its turn. */
const LATENCY = "50ms";

/** Towards the machine on its tap, from the machine on the interface itself. */
export function limitTcFilter({ limits, tap, link }: TcFilterConnection): string[] {
  return [
    ...(limits.receive > 0 ? [bucket(tap, limits.receive)] : []),
    ...(limits.transmit > 0 ? [bucket(link, limits.transmit)] : []),
  ];
}

/**
 * What the machine sends is queued on its macvtap. What it receives passes no queue on the way up: an ifb in between
 * has one.
 */
export function limitMacvtap({ limits, tap, link, ifb }: MacvtapConnection): string[] {
  const towards = [
    `qdisc add dev ${link} ingress`,
    `filter add dev ${link} parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev ${ifb}`,
    bucket(ifb, limits.receive),
  ];
  return [...(limits.receive > 0 ? towards : []), ...(limits.transmit > 0 ? [bucket(tap, limits.transmit)] : [])];
}

function bucket(device: string, bitsPerSecond: number): string {
  const burst = Math.max(LEAST_BURST, Math.ceil((bitsPerSecond / 8) * BURST_SECONDS));
  return `qdisc add dev ${device} root tbf rate ${String(bitsPerSecond)}bit burst ${String(burst)}b latency ${LATENCY}`;
}
