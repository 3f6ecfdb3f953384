import { readdirSync } from "node:fs";
import { invalidArgument } from "../errors.ts";

const ROOT_BUS = "/sys/devices/pci0000:00";

/**
 * What the kernel made of a device, such as its interface (`net`) or its disk (`block`), by where it is plugged in.
 *
 * @param pciPath Kata's "BB/SS": slots of bridge and device in hex
 * @returns undefined while there is none
 */
export function deviceAtPath(pciPath: string, subsystem: "net" | "block"): string | undefined {
  const [, bridge, slot] = /^([\da-f]{2})\/([\da-f]{2})$/.exec(pciPath) ?? [];
  if (bridge === undefined || slot === undefined) throw invalidArgument(`"${pciPath}" is no PCI path`);
  // A bridge's device directory holds those behind it, theirs hold their virtio device, and that what it is for.
  const behind = `${ROOT_BUS}/0000:00:${bridge}.0`;
  const device = entries(behind).find((name) => name.endsWith(`:${slot}.0`) && name.startsWith("0000:"));
  if (device === undefined) return undefined;
  const path = `${behind}/${device}`;
  const virtio = entries(path).find((name) => /^virtio\d+$/.test(name));
  return entries(`${path}/${virtio ?? "."}/${subsystem}`)[0];
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
