import type { grpc } from "@kata-ts/agent-protocol";
import type { Vm } from "../ports/hypervisor.ts";
import type { UndoStack } from "../undo.ts";
import type { ContainerConfig } from "./config.ts";
import { findRootfsDevice, takeFromHost } from "./rootfs-device.ts";

export interface PreparedRoot {
  /** Its path in the guest. */
  readonly path: string;
  readonly storages: readonly grpc.Storage.$Properties[];
}

const GUEST_ROOTS = "/run/kata-containers/roots";

/** Gives the guest a container's root file system: its block device where that is wanted and can be had, else its files. */
export async function prepareRoot(config: ContainerConfig, vm: Vm, undo: UndoStack): Promise<PreparedRoot> {
  return (await plugRoot(config, vm, undo)) ?? shareRoot(config, vm);
}

async function shareRoot({ id, rootfs }: ContainerConfig, vm: Vm): Promise<PreparedRoot> {
  return { path: await vm.share(rootfs, `${id}/rootfs`, { readonly: false, recursive: true }), storages: [] };
}

async function plugRoot(
  { id, rootfs, useBlockDevices }: ContainerConfig,
  vm: Vm,
  undo: UndoStack,
): Promise<PreparedRoot | undefined> {
  const found = useBlockDevices === true ? findRootfsDevice(rootfs) : undefined;
  if (found === undefined) return undefined;
  using taken = takeFromHost(rootfs, found, vm.state.qemu.pid);
  if (taken === undefined) return undefined;
  undo.push(() => {
    taken.giveBack();
  });
  const { kind, where } = await vm.plugDisk(id, found.device);
  undo.push(() => vm.unplugDisk(id));
  const path = `${GUEST_ROOTS}/${id}`;
  return { path, storages: [{ driver: kind, source: where, fstype: found.fsType, mount_point: path, options: [] }] };
}
