import { closeSync, lstatSync } from "node:fs";
import {
  attachMountTree,
  cloneMountTree,
  forbidDevices,
  inNamespace,
  MountFlag,
  mount,
  pivotInto,
  setTreePropagation,
} from "@kata-ts/linux";

/**
 * Makes the host's view of a container's root file system the root of a shim, and of its mount namespace: an engine that joins
 * the shim to copy files or to list processes then sees the container, never the host. The runtime does it, from outside,
 * for a shim that was started in a mount namespace of its own: all its threads move, and it needs no right to mounts. All its
 * code must be loaded before. No device of the container opens there, and no program gains rights.
 */
export function giveContainerView(shim: number, rootfs: string): void {
  const tree = cloneMountTree(rootfs, true);
  try {
    setTreePropagation(tree, "slave");
    forbidDevices(tree);
    inNamespace("mnt", `/proc/${String(shim)}/ns/mnt`, () => {
      attachMountTree(tree, rootfs);
      pivotInto(rootfs);
    });
  } finally {
    closeSync(tree);
  }
}

/**
 * Mounts proc where the shim is now: only a process of the container's pid namespace can. The directory is pinned where the
 * guest's changes are made, so that the mount stays where it is looked for. What is no directory is none of the image's.
 */
export function mountOwnProc(): void {
  const { noexec, nodev, nosuid } = MountFlag;
  if (lstatSync("/proc", { throwIfNoEntry: false })?.isDirectory() !== true) return;
  mount("proc", "/proc", "proc", nosuid | nodev | noexec);
}
