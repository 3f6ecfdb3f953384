import { chownSync, closeSync, mkdirSync, readlinkSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import {
  attachMountTree,
  cloneMountTree,
  type DeviceNumber,
  deviceNumber,
  inNamespace,
  makeNode,
  makeTreeHarmless,
  setTreePropagation,
  unlimitLockedMemory,
} from "@kata-ts/linux";
import { QEMU_ROOT } from "./qemu-root.ts";

const VFIO = "/dev/vfio";

/**
 * Lets a confined QEMU open a PCI device that vfio-pci has: the nodes of VFIO and of the device's IOMMU group, sysfs to read,
 * and as much locked memory as the card can reach. For another QEMU it does nothing. It may be done again.
 *
 * @param pid QEMU's
 * @throws LinuxError, Error
 */
export function letCardIn(pid: number, pciAddress: string): void {
  const { uid } = statSync(`/proc/${String(pid)}`);
  if (uid === 0) return;
  const group = basename(readlinkSync(`/sys/bus/pci/devices/${pciAddress}/iommu_group`));
  const nodes = ["vfio", group].map((name) => ({ path: join(VFIO, name), device: deviceNumber(join(VFIO, name)) }));
  const sysfs = cloneMountTree("/sys", false);
  try {
    setTreePropagation(sysfs, "private");
    makeTreeHarmless(sysfs);
    inNamespace("mnt", `/proc/${String(pid)}/ns/mnt`, () => {
      for (const { path, device } of nodes) makeNodeFor(uid, join(QEMU_ROOT, path), device);
      const target = join(QEMU_ROOT, "sys");
      if (makeDirectory(target)) attachMountTree(sysfs, target);
    });
  } finally {
    closeSync(sysfs);
  }
  unlimitLockedMemory(pid);
}

function makeNodeFor(user: number, path: string, device: DeviceNumber): void {
  makeDirectory(join(QEMU_ROOT, VFIO));
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  makeNode(path, "character", device);
  chownSync(path, user, user);
}

/** @returns false where it was there */
function makeDirectory(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return false;
  mkdirSync(path, { mode: 0o755 });
  return true;
}
