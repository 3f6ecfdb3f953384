import { closeSync, constants, openSync, statSync } from "node:fs";
import { inNamespace, LinuxError, MountFlag, mountInThread, unmount, unmountInThread } from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import { mountTable } from "../host/mount-table.ts";

/** A root file system that is a block device's whole file system, mounted. */
export interface RootfsDevice {
  /** Absolute path of the block device. */
  readonly device: string;
  readonly fsType: string;
}

/** File systems that the guest's kernel has, and that are a device's alone. */
const FILE_SYSTEMS: readonly string[] = ["ext2", "ext3", "ext4", "xfs"];

/** Undefined where the root file system is something else: a directory, an overlay, a part of a device. */
export function findRootfsDevice(rootfs: string, mountinfo?: string): RootfsDevice | undefined {
  const found = mountTable(mountinfo).findLast(({ point }) => point === rootfs);
  if (found === undefined) return undefined;
  const { root, fsType, source: device } = found;
  return root === "/" && FILE_SYSTEMS.includes(fsType) && device.startsWith("/dev/") ? { device, fsType } : undefined;
}

/** A device without mounts on the host. */
export interface TakenDevice extends Disposable {
  /** Mounts it again, where it was. */
  giveBack(): Promise<void>;
}

/**
 * Unmounts a container's root file system on the host, so that the guest can mount it: two kernels that write to one file
 * system destroy it.
 *
 * @param pid a process of the VM: its mount namespace may have begun as a copy of ours
 * @returns undefined where it has another mount: it is left as it was
 */
export async function takeFromHost(
  rootfs: string,
  { device, fsType }: RootfsDevice,
  pid: number,
): Promise<TakenDevice | undefined> {
  if (!statSync(device).isBlockDevice()) return undefined;
  // A loop device may go with its last user.
  const held = openSync(device, "r");
  const giveBack = (): Promise<void> => mountInThread(device, rootfs, fsType, MountFlag.relatime);
  // The host's comes last, in another thread: the last unmount writes to the device.
  unmountCopy(rootfs, pid);
  await unmountInThread(rootfs);
  if (isFree(device)) {
    return {
      giveBack,
      [Symbol.dispose]: () => {
        closeSync(held);
      },
    };
  }
  await giveBack();
  closeSync(held);
  return undefined;
}

/**
 * Unmounts a block device's copy in the calling thread's mount namespace, which began as a copy of the host's: what is started
 * there would hold the device.
 */
export function leaveToHost(rootfs: string): void {
  if (rootfs !== "/" && findRootfsDevice(rootfs) !== undefined) unmountIfMounted(rootfs);
}

/** @throws KataError KATA_CONFIG for a block device that is mounted on the host, or in use otherwise */
export function requireUnused(path: string): void {
  if (!statSync(path).isBlockDevice() || isFree(path)) return;
  throw new KataError("KATA_CONFIG", `the root file system ${path} is in use on the host`, {
    hint: "unmount it there: two kernels that write to one file system destroy it",
  });
}

function unmountCopy(rootfs: string, pid: number): void {
  inNamespace("mnt", `/proc/${String(pid)}/ns/mnt`, () => {
    unmountIfMounted(rootfs);
  });
}

function unmountIfMounted(rootfs: string): void {
  try {
    unmount(rootfs);
  } catch (error) {
    // It has none there, or not even the directory.
    if (!(error instanceof LinuxError && ["EINVAL", "ENOENT"].includes(error.errno))) throw error;
  }
}

function isFree(device: string): boolean {
  try {
    closeSync(openSync(device, constants.O_RDWR | constants.O_EXCL));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EBUSY") return false;
    throw error;
  }
}
