import { closeSync, constants, openSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import type { grpc, SpecDevice, SpecDeviceRule, SpecLinux } from "@kata-ts/agent-protocol";
import type { Vm } from "../ports/hypervisor.ts";
import type { UndoStack } from "../undo.ts";
import type { ContainerConfig } from "./config.ts";

/**
 * Plugs the block devices of config.json into the guest: there they have other numbers, which the agent writes into the
 * container's specification. One that the host uses itself stays the host's: two kernels that write to one file system
 * destroy it.
 *
 * @returns the devices of the request to the agent
 */
export async function prepareDevices(
  { id, spec, useBlockDevices }: ContainerConfig,
  vm: Vm,
  undo: UndoStack,
  warn: (message: string) => void,
): Promise<grpc.Device.$Properties[]> {
  if (useBlockDevices !== true) return [];
  const given: grpc.Device.$Properties[] = [];
  for (const device of spec.linux?.devices ?? []) {
    const host = device.type === "b" ? hostDevice(device) : undefined;
    if (host === undefined) continue;
    const readonly = isReadonly(device, spec.linux ?? {});
    if (!isFree(host, readonly)) {
      warn(`${host} is not given to the guest as ${device.path}: it is in use on the host`);
      continue;
    }
    if (given.length === 0) undo.push(() => vm.unplugDisk(id));
    const { kind, where } = await vm.plugDisk(id, host, { readonly, index: given.length + 1 });
    given.push({ id: where, type: kind, container_path: device.path });
  }
  return given;
}

/** Its path on the host, by number; undefined where there is no such device, or nothing in it. */
function hostDevice({ major, minor }: SpecDevice): string | undefined {
  const numbers = `/sys/dev/block/${String(major ?? 0)}:${String(minor ?? 0)}`;
  try {
    const name = basename(readlinkSync(numbers));
    return Number(readFileSync(`${numbers}/size`, "latin1")) === 0 ? undefined : `/dev/${name}`;
  } catch {
    return undefined;
  }
}

/** The last rule about it says what a container may do with it. */
function isReadonly(device: SpecDevice, { resources }: SpecLinux): boolean {
  const rule = resources?.devices?.findLast((each) => each.allow && isAbout(each, device));
  return rule?.access?.includes("w") === false;
}

function isAbout({ type, major, minor }: SpecDeviceRule, device: SpecDevice): boolean {
  const same = (rule: SpecDeviceRule["major"], number: SpecDevice["major"]): boolean =>
    rule === undefined || String(rule) === "-1" || String(rule) === String(number);
  return (type === "b" || type === "a" || type === undefined) && same(major, device.major) && same(minor, device.minor);
}

function isFree(device: string, readonly: boolean): boolean {
  try {
    closeSync(openSync(device, (readonly ? constants.O_RDONLY : constants.O_RDWR) | constants.O_EXCL));
    return true;
  } catch {
    return false;
  }
}
