import { existsSync, statSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import type { VmSpec, VmSurroundings } from "@kata-ts/proxy";
import type { VirtiofsdKind, VmConfig } from "@kata-ts/qemu-driver";
import { placeOf } from "../cgroup/recorded.ts";
import type { BootRequest } from "../ports/hypervisor.ts";
import { confinementOf, maxVcpusOf, type QemuConfig } from "./qemu-config.ts";
import type { VmDirectory } from "./vm-directory.ts";

/** The tag under which the guest mounts the shared tree: Kata's. */
export const SHARE_TAG = "kataShared";

/** The machine that a configuration asks for: the same for every sandbox, but for its name and its paths. */
export function vmConfig(
  config: QemuConfig,
  accelerator: "kvm" | "tcg",
  directory: VmDirectory,
  name: string,
): VmConfig {
  return {
    name,
    qemuPath: config.qemuPath,
    accelerator,
    vcpus: config.vcpus,
    maxVcpus: maxVcpusOf(config, accelerator),
    memoryMiB: config.memoryMiB,
    maxMemoryMiB: config.memoryMiB + Math.trunc(totalmem() / 1024 ** 2),
    kernelPath: config.kernelPath,
    ...(config.initrdPath === undefined ? {} : { initrdPath: config.initrdPath }),
    ...firmwareOf(config, accelerator),
    imagePath: config.imagePath,
    ...imageAsMemory(config),
    kernelParams: config.kernelParams,
    qmpSocket: directory.qmpSocket,
    agentSocket: directory.agentSocket,
    rootPorts: config.rootPorts,
    ...tuningOf(config),
    ...(config.sharedFs === "virtio-fs" ? {} : { share9p: { path: directory.shared, tag: SHARE_TAG } }),
  };
}

function tuningOf({ machine, memory, disks }: QemuConfig): Pick<VmConfig, "machine" | "memory" | "disks"> {
  return {
    ...(machine === undefined ? {} : { machine }),
    ...(memory === undefined ? {} : { memory }),
    ...(disks === undefined ? {} : { disks }),
  };
}

/**
 * QEMU's own firmware looks for disks and sets up cards, which the kernel does again: a quarter of a second where it is
 * emulated. qboot, which comes with QEMU, starts the kernel and does no more.
 */
function firmwareOf({ firmwarePath, qemuPath }: QemuConfig, accelerator: string): Pick<VmConfig, "firmwarePath"> {
  if (firmwarePath !== undefined) return { firmwarePath };
  const qboot = join(dirname(dirname(qemuPath)), "share/qemu/qboot.rom");
  return accelerator === "tcg" && existsSync(qboot) ? { firmwarePath: qboot } : {};
}

/** Kernels take memory in blocks of this size, and what is plugged in later comes right behind the image. */
const PMEM_ALIGNMENT = 128 * 1024 ** 2;

/**
 * Images that guest-image makes have a fitting size; another one is a disk, as it is for the distribution's kernel, which
 * has no driver for memory of this kind.
 */
function imageAsMemory({ imagePath, imageOnDisk, initrdPath }: QemuConfig): Pick<VmConfig, "imagePmemBytes"> {
  if (imageOnDisk || initrdPath !== undefined) return {};
  const { size } = statSync(imagePath);
  return size % PMEM_ALIGNMENT === 0 ? { imagePmemBytes: size } : {};
}

/** Of cgroup v2 and of v1. */
const OOM_FILES = ["memory.events", "memory.oom_control"];

/** All of a sandbox's surroundings but its network namespace, which each watchman comes into in a way of its own. */
export function surroundingsOf(config: QemuConfig, request: BootRequest): VmSurroundings {
  const { sandboxId, resolver, resolvConf, forwardLoopback = false, cgroup } = request;
  const oomFiles = placeOf(cgroup).directories.flatMap((directory) => OOM_FILES.map((name) => join(directory, name)));
  return {
    oomFiles,
    ...(resolver === undefined ? {} : { resolver }),
    ...(resolvConf === undefined ? {} : { resolvConf }),
    forwardLoopback,
    ...(config.onNetworkChange === undefined ? {} : { onNetworkChange: [...config.onNetworkChange, sandboxId] }),
  };
}

/**
 * What a sandbox's watchman is told.
 *
 * @param virtiofsd which one the configured one is; undefined where the tree is not shared over virtio-fs
 */
export function vmSpec(
  vm: VmConfig,
  config: QemuConfig,
  directory: VmDirectory,
  request: BootRequest,
  virtiofsd: VirtiofsdKind | undefined,
): VmSpec {
  return {
    dir: directory.path,
    sharedDir: directory.shared,
    proxySocket: directory.proxySocket,
    ...surroundingsOf(config, request),
    vm,
    ...confinementOf(config),
    ...(virtiofsd !== undefined
      ? {
          virtiofsd: {
            path: config.virtiofsdPath,
            kind: virtiofsd,
            socket: directory.virtiofsSocket,
            source: directory.shared,
            cache: config.virtioFsCache,
            ...(config.virtiofsdArguments === undefined ? {} : { extraArguments: config.virtiofsdArguments }),
          },
        }
      : {}),
  };
}
