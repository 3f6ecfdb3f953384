import type { RuntimeSpec, SpecMount } from "@kata-ts/agent-protocol";
import {
  anyObject,
  anyObjectAs,
  anything,
  count,
  exactly,
  flag,
  listOf,
  mapOf,
  matching,
  object,
  oneOf,
  optional,
  positive,
  type Shape,
  text,
} from "@kata-ts/linux/shape";
import type { VsockSpec } from "@kata-ts/proxy";
import type { QemuConfig } from "../vmm-qemu/qemu-config.ts";
import type { LimitOptions } from "./limit.ts";
import { NETWORKED, requireNat } from "./network-shape.ts";
import { absolutePath, LIMIT, PROCESS, plainText, RESULT } from "./process-shape.ts";
import type { ResultOptions } from "./result-options.ts";
import type { ContainerOptions, SandboxOptions } from "./sandbox-options.ts";
import type { VmOptions } from "./vm-options.ts";

const ROOTFS = matching(
  "a path without NUL",
  (value): value is string => typeof value === "string" && value !== "" && !value.includes("\0"),
);

const COMMON = {
  id: optional(text),
  devices: optional(listOf(anything<NonNullable<ContainerOptions["devices"]>[number]>())),
} as const;

const DESCRIBED = {
  ...PROCESS,
  ...COMMON,
  rootfs: ROOTFS,
  mounts: optional(
    listOf(
      object<SpecMount>({
        destination: absolutePath,
        source: optional(plainText),
        type: optional(plainText),
        options: optional(listOf(plainText)),
      }),
    ),
  ),
  resources: optional(anyObject),
} as const;

const CONFIGURED = {
  ...COMMON,
  rootfs: optional(ROOTFS),
  config: object<RuntimeSpec>({
    ociVersion: text,
    process: optional(anyObjectAs<NonNullable<RuntimeSpec["process"]>>()),
    root: optional(object<NonNullable<RuntimeSpec["root"]>>({ path: text, readonly: optional(flag) })),
    hostname: optional(plainText),
    mounts: optional(listOf(anyObjectAs<SpecMount>())),
    hooks: optional(anyObjectAs<NonNullable<RuntimeSpec["hooks"]>>()),
    annotations: optional(mapOf(text)),
    linux: optional(anyObjectAs<NonNullable<RuntimeSpec["linux"]>>()),
  }),
} as const;

type Described = Omit<Extract<ContainerOptions, { readonly config?: never }>, "config">;
type Configured = Omit<Extract<ContainerOptions, { readonly config: RuntimeSpec }>, "mounts" | "resources">;

function either<T extends ContainerOptions>(described: Shape<unknown>, configured: Shape<unknown>): Shape<T> {
  return (value, place) => {
    const shape = Object.hasOwn(anyObject(value, place), "config") ? configured : described;
    return shape(value, place) as T;
  };
}

export const containerShape: Shape<ContainerOptions & LimitOptions> = either<ContainerOptions & LimitOptions>(
  exactly<Described & LimitOptions>({ ...DESCRIBED, ...LIMIT }),
  exactly<Configured & LimitOptions>({ ...CONFIGURED, ...LIMIT }),
);
export const containerAndResultShape: Shape<ContainerOptions & ResultOptions> = either<
  ContainerOptions & ResultOptions
>(
  exactly<Described & ResultOptions>({ ...DESCRIBED, ...RESULT }),
  exactly<Configured & ResultOptions>({ ...CONFIGURED, ...RESULT }),
);

/** The compiler tells when one is missing here. */
export const vmShape: Shape<VmOptions> = exactly<VmOptions>({
  qemuPath: optional(plainText),
  kernelPath: optional(plainText),
  initrdPath: optional(plainText),
  imagePath: optional(plainText),
  imageOnDisk: optional(flag),
  firmwarePath: optional(plainText),
  virtiofsdPath: optional(plainText),
  virtiofsdArguments: optional(listOf(plainText)),
  vsock: optional(object<VsockSpec>({ daemonPath: optional(absolutePath) })),
  machine: optional(anything<NonNullable<QemuConfig["machine"]>>()),
  memory: optional(anything<NonNullable<QemuConfig["memory"]>>()),
  disks: optional(anything<NonNullable<QemuConfig["disks"]>>()),
  accelerator: optional(anything<QemuConfig["accelerator"]>()),
  vcpus: optional(positive),
  memoryMiB: optional(positive),
  kernelParams: optional(listOf(plainText)),
  sharedFs: optional(oneOf("virtio-fs", "virtio-9p", "none")),
  savable: optional(flag),
  virtioFsCache: optional(oneOf("none", "auto", "always")),
  msize9p: optional(positive),
  maxVcpus: optional(positive),
  rootPorts: optional(count),
  onNetworkChange: optional(listOf(plainText)),
  confinement: optional(anything<QemuConfig["confinement"]>()),
  vmRoot: optional(plainText),
  acceleratorCache: optional(plainText),
});

export const sandboxShape: Shape<SandboxOptions> = (value, place) => {
  const { vm, from } = exactly<
    Omit<SandboxOptions, "vm" | "from"> & { readonly vm?: VmOptions; readonly from?: object }
  >({
    vm: optional(vmShape),
    from: optional(anyObject),
    id: optional(text),
    hostname: optional(plainText),
    sharePidNamespace: optional(flag),
    bootDeadlineMs: optional(positive),
    idleWarningMs: optional(count),
    detachable: optional(flag),
    ...NETWORKED,
    ...LIMIT,
  })(value, place);
  if (vm !== undefined && from !== undefined) throw new TypeError(`${place} takes one of vm and from, not both`);
  requireNat(value as SandboxOptions, place);
  return value as SandboxOptions;
};
