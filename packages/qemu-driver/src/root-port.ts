import type { QmpClient } from "./qmp/client.ts";

/** The slots below are for what a machine has from the start, the last is QEMU's own. */
const FIRST_SLOT = 0x10;
const LAST_SLOT = 0x1d;
const IN_A_ROW = LAST_SLOT - FIRST_SLOT + 1;

/** How many ports a machine can have. */
export const MAX_ROOT_PORTS = 16;

/** The id of a hot-pluggable port. */
export function rootPortName(port: number): string {
  return `rp${String(port)}`;
}

/** Its slot on the root bus, by which the guest finds what is plugged into it. The last two are below the first. */
export function rootPortSlot(port: number): number {
  return port < IN_A_ROW ? FIRST_SLOT + port : FIRST_SLOT - 1 - (port - IN_A_ROW);
}

/** Where the guest finds what is plugged into a port: Kata's "BB/SS". */
export function rootPortPlace(port: number): string {
  return `${rootPortSlot(port).toString(16)}/00`;
}

/** The port of such a place; undefined where there is none. */
export function rootPortAt(place: string): string | undefined {
  const port = Array.from({ length: MAX_ROOT_PORTS }, (_, each) => each).find((each) => rootPortPlace(each) === place);
  return port === undefined ? undefined : rootPortName(port);
}

interface PciDevice {
  readonly qdev_id: string;
  readonly pci_bridge?: { readonly devices?: readonly unknown[] };
}

/** The ports of a running machine that something is plugged into. */
export async function takenRootPorts(qmp: QmpClient): Promise<ReadonlySet<string>> {
  const buses = (await qmp.execute("query-pci")) as readonly { readonly devices: readonly PciDevice[] }[];
  const devices = buses.flatMap((bus) => bus.devices);
  return new Set(devices.filter((each) => (each.pci_bridge?.devices ?? []).length > 0).map((each) => each.qdev_id));
}
