/** The slots below are for what a machine has from the start. */
const FIRST_SLOT = 0x10;

/** The id of a hot-pluggable port. */
export function rootPortName(port: number): string {
  return `rp${String(port)}`;
}

/** Its slot on the root bus, by which the guest finds what is plugged into it. */
export function rootPortSlot(port: number): number {
  return FIRST_SLOT + port;
}
