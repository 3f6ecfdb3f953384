import { QemuError } from "./errors.ts";
import type { QmpClient } from "./qmp/client.ts";

/** A disk to plug in: a block device of the host's. */
export interface Disk {
  /** Names device and backend; at most 26 characters, unique in the machine. */
  readonly id: string;
  /** A free port, such as `rp1`. */
  readonly rootPort: string;
  /** Absolute path of the block device on the host. */
  readonly device: string;
  readonly readonly: boolean;
}

/** The guest lets go of the disk first, which takes it five seconds: PCI Express has its button blink that long. */
const UNPLUG_DEADLINE_MS = 20_000;

/** Plugs a disk into a running machine. On failure nothing of it is left. @throws QemuError */
export async function plugDisk(qmp: QmpClient, { id, rootPort, device, readonly }: Disk): Promise<void> {
  const node = nodeOf(id);
  const backend = { driver: "host_device", "node-name": node, filename: device, "read-only": readonly };
  await qmp.execute("blockdev-add", { ...backend, cache: { direct: true, "no-flush": false } });
  try {
    await qmp.execute("device_add", { driver: "virtio-blk-pci", id, drive: node, bus: rootPort, romfile: "" });
  } catch (error) {
    await qmp.execute("blockdev-del", { "node-name": node });
    throw error;
  }
}

/**
 * Takes one out: resolves when the guest has let go of it, and QEMU of the device.
 *
 * @returns false where there is no such disk
 */
export async function unplugDisk(qmp: QmpClient, { id }: Pick<Disk, "id">): Promise<boolean> {
  const gone = qmp.waitForEvent(({ event, data }) => event === "DEVICE_DELETED" && data.device === id, {
    deadlineMs: UNPLUG_DEADLINE_MS,
  });
  gone.catch(() => undefined);
  try {
    await qmp.execute("device_del", { id });
  } catch (error) {
    if (error instanceof QemuError && error.message.includes("DeviceNotFound")) return false;
    throw error;
  }
  await gone;
  await qmp.execute("blockdev-del", { "node-name": nodeOf(id) });
  return true;
}

function nodeOf(id: string): string {
  return `${id}-node`;
}
