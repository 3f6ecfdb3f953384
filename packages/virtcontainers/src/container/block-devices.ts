import { statSync } from "node:fs";
import type { SpecLinux } from "@kata-ts/agent-protocol";
import { KataError } from "../errors.ts";

/** A block device of the host, for a container that is described without config.json. */
export interface BlockDevice {
  /** Such as `/dev/loop3`. */
  readonly device: string;
  /** Where the container has it; by default where the host has it. */
  readonly path?: string;
  readonly readonly?: boolean;
}

/** Adds them to what config.json says: that they are there, and what the container may do with them. @throws KataError */
export function withBlockDevices(linux: SpecLinux, devices: readonly BlockDevice[]): SpecLinux {
  const numbered = devices.map(({ device, path = device, readonly = false }) => {
    const found = statSync(device, { throwIfNoEntry: false });
    if (found?.isBlockDevice() !== true) throw new KataError("KATA_CONFIG", `${device} is not a block device`);
    return { path, access: readonly ? "rm" : "rwm", type: "b", ...splitNumber(found.rdev) };
  });
  const made = numbered.map(({ path, type, major, minor }) => ({ path, type, major, minor, fileMode: 0o660 }));
  const rules = numbered.map(({ access, type, major, minor }) => ({ allow: true, access, type, major, minor }));
  const { resources } = linux;
  return {
    ...linux,
    devices: [...(linux.devices ?? []), ...made],
    resources: { ...resources, devices: [...(resources?.devices ?? []), ...rules] },
  };
}

/** As glibc's major() and minor(). */
function splitNumber(device: number): { readonly major: number; readonly minor: number } {
  const number = BigInt(device);
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn);
  const minor = (number & 0xffn) | ((number >> 12n) & ~0xffn & 0xffffffffn);
  return { major: Number(major), minor: Number(minor) };
}
