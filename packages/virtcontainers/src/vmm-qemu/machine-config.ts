import { existsSync, statSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import { AGENT_SERIAL_PORT, AgentParameter, SHARED_TREE_TAG } from "@kata-ts/agent-protocol/guest-contract";
import { isMicrovm, type VmConfig } from "@kata-ts/qemu-driver";
import type { VmGrowth } from "../ports/hypervisor.ts";
import type { MachinePlace } from "../ports/vmm.ts";
import { vmDirectory } from "../vm/vm-directory.ts";
import { canGrow, isSavable } from "./capabilities.ts";
import { maxVcpusOf, type QemuConfig } from "./qemu-config.ts";
import { qmpSocketOf } from "./qmp-socket.ts";

/** Kernels add memory in blocks of this size. */
const BLOCK_MIB = 128;
const MIB = 1024 ** 2;

/** For what is the same for every sandbox. */
const NOWHERE: MachinePlace = { name: "", directory: vmDirectory("/") };

/** The machine that a configuration asks for: the same for every sandbox, but for its name and its paths. */
export function machineConfig(
  config: QemuConfig,
  accelerator: string,
  { name, directory, growth }: MachinePlace = NOWHERE,
): VmConfig {
  const vcpus = config.vcpus + (growth?.vcpus ?? 0);
  const memoryMiB = config.memoryMiB + wholeBlocks(growth?.memoryMiB ?? 0);
  const firmware = firmwareOf(config, accelerator);
  return {
    name,
    qemuPath: config.qemuPath,
    accelerator: accelerator === "kvm" ? "kvm" : "tcg",
    vcpus,
    memoryMiB,
    ...(canGrow(config) ? roomToGrow(config, accelerator, { vcpus, memoryMiB }) : {}),
    kernelPath: config.kernelPath,
    ...(config.initrdPath === undefined ? {} : { initrdPath: config.initrdPath }),
    ...firmware,
    ...(isMicrovm(config) || firmware.firmwarePath !== undefined ? {} : { generation: true }),
    imagePath: config.imagePath,
    ...imageAsMemory(config),
    kernelParams: [...agentParameters(config, accelerator), ...config.kernelParams],
    qmpSocket: qmpSocketOf(directory.path),
    ...(config.vsock === undefined ? { serialPort: { name: AGENT_SERIAL_PORT, socket: directory.agentSocket } } : {}),
    rootPorts: config.rootPorts,
    ...tuningOf(config),
    ...(config.sharedFs === "virtio-9p" ? { share9p: { path: directory.shared, tag: SHARED_TREE_TAG } } : {}),
    ...(isSavable(config) ? { savable: true } : {}),
  };
}

function roomToGrow(
  config: QemuConfig,
  accelerator: string,
  { vcpus, memoryMiB }: VmGrowth,
): Pick<VmConfig, "maxVcpus" | "maxMemoryMiB"> {
  return {
    maxVcpus: Math.max(vcpus, maxVcpusOf(config, accelerator)),
    maxMemoryMiB: memoryMiB + Math.trunc(totalmem() / MIB),
  };
}

/** As memory that is added later comes. */
function wholeBlocks(sizeMiB: number): number {
  return Math.ceil(sizeMiB / BLOCK_MIB) * BLOCK_MIB;
}

/** A machine without what differs between its clones. */
export function withoutNames(vm: VmConfig): VmConfig {
  const share = vm.share9p === undefined ? {} : { share9p: { ...vm.share9p, path: "" } };
  const port = vm.serialPort === undefined ? {} : { serialPort: { ...vm.serialPort, socket: "" } };
  return { ...vm, ...share, ...port, name: "", qmpSocket: "" };
}

/** What a machine is made of. */
export function machineFiles({ qemuPath, kernelPath, imagePath, initrdPath, firmwarePath }: VmConfig): string[] {
  return [qemuPath, kernelPath, imagePath, initrdPath, firmwarePath].filter((path) => path !== undefined);
}

/** Code that is compiled in the guest is translated once more under TCG: an interpreted agent is faster there. */
function agentParameters({ vsock }: QemuConfig, accelerator: string): string[] {
  const interpreted = accelerator === "tcg" ? [`${AgentParameter.jit}=off`] : [];
  return vsock === undefined ? interpreted : [...interpreted, `${AgentParameter.useVsock}=true`];
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
 * emulated. qboot, which comes with QEMU, starts the kernel and does no more. It knows nothing of a generation, which a machine that
 * can be saved is to have.
 */
function firmwareOf(config: QemuConfig, accelerator: string): Pick<VmConfig, "firmwarePath"> {
  const { firmwarePath, qemuPath } = config;
  if (firmwarePath !== undefined) return { firmwarePath };
  const qboot = join(dirname(dirname(qemuPath)), "share/qemu/qboot.rom");
  return accelerator === "tcg" && !isSavable(config) && existsSync(qboot) ? { firmwarePath: qboot } : {};
}

/** Kernels take memory in blocks of this size, and what is plugged in later comes right behind the image. */
const PMEM_ALIGNMENT = 128 * 1024 ** 2;

/**
 * Images that guest-image makes have a fitting size; another one is a disk, as it is for the distribution's kernel, which
 * has no driver for memory of this kind. A microvm has no place for such memory.
 */
function imageAsMemory(config: QemuConfig): Pick<VmConfig, "imagePmemBytes"> {
  const { imagePath, imageOnDisk, initrdPath } = config;
  if (imageOnDisk || initrdPath !== undefined || isMicrovm(config)) return {};
  const { size } = statSync(imagePath);
  return size % PMEM_ALIGNMENT === 0 ? { imagePmemBytes: size } : {};
}
