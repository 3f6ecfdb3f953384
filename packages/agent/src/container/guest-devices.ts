import { readFileSync } from "node:fs";
import type { grpc, RuntimeSpec, SpecDeviceRule } from "@kata-ts/agent-protocol";
import { invalidArgument } from "../errors.ts";
import { waitForDisk } from "../storage/disk.ts";

type DeviceNumber = readonly [major: number, minor: number];

/**
 * Gives the devices that were plugged in for a container the numbers that they have in this guest: in the list of those
 * that are made for it, and in the rules about them.
 */
export async function withPluggedDevices(
  spec: RuntimeSpec,
  devices: readonly grpc.Device.$Properties[],
): Promise<RuntimeSpec> {
  let changed = spec;
  for (const { id, type, vm_path, container_path } of devices) {
    // One with a name of its own is named by Kata's runtimes beside its id.
    const where = type === "blk" || type === "scsi" ? id : vm_path;
    const name = await waitForDisk(type ?? "", where ?? "");
    changed = renumbered(changed, container_path ?? "", numberOf(name));
  }
  return changed;
}

function numberOf(disk: string): DeviceNumber {
  const [major = 0, minor = 0] = readFileSync(`/sys/class/block/${disk}/dev`, "latin1").trim().split(":").map(Number);
  return [major, minor];
}

function renumbered(spec: RuntimeSpec, path: string, [major, minor]: DeviceNumber): RuntimeSpec {
  const { linux = {} } = spec;
  const before = linux.devices?.find((device) => device.path === path);
  if (before === undefined) throw invalidArgument(`No device ${path} in the specification`);
  const isAboutIt = (rule: SpecDeviceRule): boolean =>
    rule.type === before.type &&
    String(rule.major) === String(before.major) &&
    String(rule.minor) === String(before.minor);
  const rules = linux.resources?.devices?.map((rule) => (isAboutIt(rule) ? { ...rule, major, minor } : rule));
  return {
    ...spec,
    linux: {
      ...linux,
      devices: (linux.devices ?? []).map((device) => (device === before ? { ...device, major, minor } : device)),
      resources: { ...linux.resources, ...(rules === undefined ? {} : { devices: rules }) },
    },
  };
}
