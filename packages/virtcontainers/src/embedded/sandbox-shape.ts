import type { SpecMount } from "@kata-ts/agent-protocol";
import type { QemuConfig } from "../hypervisor/qemu-config.ts";
import {
  anyObject,
  anything,
  count,
  exactly,
  flag,
  listOf,
  object,
  oneOf,
  only,
  optional,
  positive,
  type Shape,
  text,
} from "../shape.ts";
import { absolutePath, PROCESS, plainText, RESULT } from "./process-shape.ts";
import type { ResultOptions } from "./result-options.ts";
import type { ContainerOptions, NetworkOptions, SandboxOptions } from "./sandbox-options.ts";
import type { VmOptions } from "./vm-options.ts";

const CONTAINER = {
  ...PROCESS,
  rootfs: only(
    "a path without NUL",
    (value): value is string => typeof value === "string" && value !== "" && !value.includes("\0"),
  ),
  id: optional(text),
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
  devices: optional(listOf(anything<NonNullable<ContainerOptions["devices"]>[number]>())),
} as const;

export const containerShape: Shape<ContainerOptions> = exactly<ContainerOptions>(CONTAINER);
export const containerAndResultShape: Shape<ContainerOptions & ResultOptions> = exactly<
  ContainerOptions & ResultOptions
>({ ...CONTAINER, ...RESULT });

/** The compiler tells when one is missing here. */
const vmShape: Shape<VmOptions> = exactly<VmOptions>({
  qemuPath: optional(plainText),
  kernelPath: plainText,
  initrdPath: optional(plainText),
  imagePath: plainText,
  imageOnDisk: optional(flag),
  firmwarePath: optional(plainText),
  virtiofsdPath: optional(plainText),
  virtiofsdArguments: optional(listOf(plainText)),
  machine: optional(anything<NonNullable<QemuConfig["machine"]>>()),
  memory: optional(anything<NonNullable<QemuConfig["memory"]>>()),
  disks: optional(anything<NonNullable<QemuConfig["disks"]>>()),
  accelerator: optional(anything<QemuConfig["accelerator"]>()),
  vcpus: optional(positive),
  memoryMiB: optional(positive),
  kernelParams: optional(listOf(plainText)),
  sharedFs: optional(oneOf("virtio-fs", "virtio-9p")),
  virtioFsCache: optional(oneOf("none", "auto", "always")),
  msize9p: optional(positive),
  maxVcpus: optional(positive),
  rootPorts: optional(count),
  onNetworkChange: optional(listOf(plainText)),
  confinement: optional(anything<QemuConfig["confinement"]>()),
  vmRoot: optional(plainText),
  acceleratorCache: optional(plainText),
});

const networkShape: Shape<NetworkOptions> = exactly<NetworkOptions>({
  namespace: absolutePath,
  model: optional(anything<NonNullable<NetworkOptions["model"]>>()),
  dns: optional(listOf(plainText)),
});

export const sandboxShape: Shape<SandboxOptions> = (value, place) => {
  exactly<Omit<SandboxOptions, "vm" | "from"> & { readonly vm?: VmOptions; readonly from?: object }>({
    vm: optional(vmShape),
    from: optional(anyObject),
    id: optional(text),
    hostname: optional(plainText),
    sharePidNamespace: optional(flag),
    bootDeadlineMs: optional(positive),
    idleWarningMs: optional(count),
    network: optional(networkShape),
    signal: RESULT.signal,
  })(value, place);
  const { vm, from } = value as SandboxOptions;
  if ((vm === undefined) === (from === undefined)) throw new TypeError(`${place} needs one of vm and from`);
  return value as SandboxOptions;
};
