import { closeSync, constants, openSync, statSync } from "node:fs";
import { QemuError } from "./errors.ts";
import type { QmpClient } from "./qmp/client.ts";
import { isNotThere, type UnplugOptions, unplugDevice } from "./unplug.ts";
import type { DiskTuning } from "./vm-tuning.ts";

/** A disk to plug in: a block device of the host's, or a file with the bytes of one. */
export interface Disk {
  /** Names device and backend; at most 26 characters, unique in the machine. */
  readonly id: string;
  /** Absolute path on the host. */
  readonly device: string;
  readonly readonly: boolean;
  readonly tuning?: DiskTuning;
}

/** The id of the thread that serves disks where VmConfig asks for one. */
export const DISK_THREAD = "disk-thread";

/** The id of the adapter whose units disks are, where VmConfig asks for one. */
export const SCSI_ADAPTER = "scsi0";

/** Plugs a disk into a free port of a running machine. On failure nothing of it is left. @throws QemuError */
export async function plugDisk(qmp: QmpClient, disk: Disk & { readonly rootPort: string }): Promise<void> {
  const thread = disk.tuning?.ioThread === true && (await hasDiskThread(qmp)) ? { iothread: DISK_THREAD } : {};
  await plug(qmp, disk, { driver: "virtio-blk-pci", bus: disk.rootPort, romfile: "", ...thread });
}

/**
 * Plugs a disk into the adapter of a machine of which VmConfig asks for one, which needs no port. On failure nothing of it
 * is left.
 *
 * @returns its SCSI id; the unit is 0; @throws QemuError
 */
export async function plugScsiDisk(qmp: QmpClient, disk: Disk): Promise<number> {
  await plug(qmp, disk, { driver: "scsi-hd", bus: `${SCSI_ADAPTER}.0` });
  // QEMU has taken the first that is free.
  return Number(await qmp.execute("qom-get", { path: `/machine/peripheral/${disk.id}`, property: "scsi-id" }));
}

async function plug(qmp: QmpClient, disk: Disk, properties: Readonly<Record<string, string>>): Promise<void> {
  const { id, device, readonly, tuning = {} } = disk;
  const node = nodeOf(id);
  const isDevice = statSync(device).isBlockDevice();
  // Not every file system can read and write past its page cache.
  const { direct, noFlush } = tuning.cache ?? { direct: isDevice, noFlush: false };
  const driver = isDevice ? "host_device" : "file";
  const descriptor = openDisk(device, { readonly, direct });
  await withDescriptorSet(qmp, descriptor, async (filename) => {
    const backend = { driver, "node-name": node, filename, "read-only": readonly };
    await qmp.execute("blockdev-add", { ...backend, cache: { direct, "no-flush": noFlush } });
  });
  try {
    await qmp.execute("device_add", { id, drive: node, ...properties });
  } catch (error) {
    await qmp.execute("blockdev-del", { "node-name": node });
    throw error;
  }
}

/** The machine may have been started under another configuration than this call has read. */
export async function hasScsiAdapter(qmp: QmpClient): Promise<boolean> {
  const devices = (await qmp.execute("qom-list", { path: "/machine/peripheral" })) as readonly {
    readonly name: string;
  }[];
  return devices.some(({ name }) => name === SCSI_ADAPTER);
}

/**
 * Takes one out: resolves when the guest has let go of it, and QEMU of the device. It may be out already: an earlier call may have given
 * up, and left what QEMU has open of it.
 *
 * @returns false where there is no such disk
 * @throws QemuError KATA_QMP_TIMEOUT where the guest does not let go of it, which it may do later
 */
export async function unplugDisk(
  qmp: QmpClient,
  { id }: Pick<Disk, "id">,
  options: UnplugOptions = {},
): Promise<boolean> {
  const wasIn = await unplugDevice(qmp, id, options).then(
    () => true,
    (error: unknown) => {
      if (!isNotThere(error)) throw error;
      return false;
    },
  );
  return (await closeNode(qmp, nodeOf(id))) || wasIn;
}

/** @returns false where there is none */
async function closeNode(qmp: QmpClient, node: string): Promise<boolean> {
  try {
    await qmp.execute("blockdev-del", { "node-name": node });
    return true;
  } catch (error) {
    if (error instanceof QemuError && error.message.includes("Failed to find node")) return false;
    throw error;
  }
}

/**
 * Opens a device here: QEMU has no right to, and does not see it. With the flags that QEMU itself would open it with: from 9.1 on it
 * takes a descriptor for reads and writes past the page cache only if it was opened for them.
 *
 * @throws QemuError where its file system has none of these; the system's error where it cannot be opened
 */
function openDisk(
  device: string,
  { readonly, direct }: { readonly readonly: boolean; readonly direct: boolean },
): number {
  try {
    return openSync(device, (readonly ? constants.O_RDONLY : constants.O_RDWR) | (direct ? constants.O_DIRECT : 0));
  } catch (error) {
    if (!direct || (error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
    throw new QemuError(
      "KATA_QMP_COMMAND",
      `the file system of ${device} has no reads and writes past the page cache`,
      {
        cause: error,
      },
    );
  }
}

/** Hands what is open to QEMU under a name that is good while the function runs, and closes it here. What QEMU has opened by it stays open. */
async function withDescriptorSet(
  qmp: QmpClient,
  descriptor: number,
  body: (filename: string) => Promise<void>,
): Promise<void> {
  try {
    const set = (await qmp.execute("add-fd", {}, { descriptor })) as { readonly "fdset-id": number };
    try {
      await body(`/dev/fdset/${String(set["fdset-id"])}`);
    } finally {
      await qmp.execute("remove-fd", { "fdset-id": set["fdset-id"] });
    }
  } finally {
    closeSync(descriptor);
  }
}

/** The machine may have been started under another configuration than this call has read. */
async function hasDiskThread(qmp: QmpClient): Promise<boolean> {
  const threads = (await qmp.execute("query-iothreads")) as readonly { readonly id: string }[];
  return threads.some(({ id }) => id === DISK_THREAD);
}

function nodeOf(id: string): string {
  return `${id}-node`;
}
