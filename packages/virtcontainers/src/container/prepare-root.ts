import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { grpc } from "@kata-ts/agent-protocol";
import type { Vm } from "../ports/hypervisor.ts";
import type { UndoStack } from "../undo.ts";
import type { ContainerConfig } from "./config.ts";
import { fileSystemOf } from "./file-system-of.ts";
import { findRootfsDevice, type RootfsDevice, requireUnused, takeFromHost } from "./rootfs-device.ts";

export interface PreparedRoot {
  /** Its path in the guest. */
  readonly path: string;
  readonly storages: readonly grpc.Storage.$Properties[];
}

/** Where an engine that joins the container's shim finds the processes. */
const PROC = "/proc";
const GUEST_ROOTS = "/run/kata-containers/roots";

/**
 * Gives the guest a container's root file system: the disk that it is, or is mounted from where that is wanted and can be had, else its
 * files.
 */
export async function prepareRoot(config: ContainerConfig, vm: Vm, undo: UndoStack): Promise<PreparedRoot> {
  if (!(await stat(config.rootfs)).isDirectory()) {
    const fsType = await fileSystemOf(config.rootfs);
    requireUnused(config.rootfs);
    return plugDevice(config.id, { device: config.rootfs, fsType }, vm, undo);
  }
  return (await plugRoot(config, vm, undo)) ?? shareRoot(config, vm);
}

async function shareRoot({ id, rootfs, spec }: ContainerConfig, vm: Vm): Promise<PreparedRoot> {
  if (spec.mounts?.some(({ destination }) => destination === PROC) === true) await makeMountPoint(join(rootfs, PROC));
  const options = { readonly: false, recursive: true, pinned: [PROC.slice(1)] };
  return { path: await vm.share(rootfs, `${id}/rootfs`, options), storages: [] };
}

/** As the guest would make it, only sooner: what the host mounts in the shim's view of it lies on a directory that stays. */
async function makeMountPoint(path: string): Promise<void> {
  await mkdir(path, { mode: 0o755 }).catch((error: unknown) => {
    // Of an image without it that cannot be written to, the guest could not make it, either.
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["EEXIST", "EROFS"].includes(code)) throw error;
  });
}

async function plugRoot(
  { id, rootfs, useBlockDevices = false, keepRootfs = false }: ContainerConfig,
  vm: Vm,
  undo: UndoStack,
): Promise<PreparedRoot | undefined> {
  const found = useBlockDevices && !keepRootfs && vm.capabilities.diskHotplug ? findRootfsDevice(rootfs) : undefined;
  if (found === undefined) return undefined;
  using taken = await takeFromHost(rootfs, found, vm.state.vmm.pid);
  if (taken === undefined) return undefined;
  undo.push(() => taken.giveBack());
  return await plugDevice(id, found, vm, undo);
}

async function plugDevice(
  id: string,
  { device, fsType }: RootfsDevice,
  vm: Vm,
  undo: UndoStack,
): Promise<PreparedRoot> {
  const { kind, where } = await vm.plugDisk(id, device);
  undo.push(() => vm.unplugDisk(id));
  // A container that was restored under another id has the root that was made with its first one.
  const path = `${GUEST_ROOTS}/${id}.${where.replaceAll("/", "-")}`;
  return { path, storages: [{ driver: kind, source: where, fstype: fsType, mount_point: path, options: [] }] };
}
