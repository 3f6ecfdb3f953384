import { statSync } from "node:fs";
import { MountFlag, mount, pivotInto, unshare } from "@kata-ts/linux";

/**
 * Stands where the container would: a mount namespace of our own whose root is the host's view of the container's root
 * file system, with a proc of our pid namespace. An engine that joins our namespaces to copy files or list processes
 * then sees the container, never the host. All code must be loaded before.
 */
export function enterContainerView(rootfs: string): void {
  const { bind, noexec, nodev, nosuid, rec, slave } = MountFlag;
  unshare("mnt");
  mount("none", "/", null, rec | slave);
  mount(rootfs, rootfs, null, bind | rec);
  pivotInto(rootfs);
  // Looked up inside the new root: a symbolic link in the image leads nowhere else.
  if (statSync("/proc", { throwIfNoEntry: false })?.isDirectory() === true) {
    mount("proc", "/proc", "proc", nosuid | nodev | noexec);
  }
}
