/**
 * Drives QEMU virtual machines: typed configuration to arguments, the QMP monitor, what is plugged in, and the
 * question whether KVM works here.
 *
 * @example
 * ```ts
 * import { spawnTied } from "@kata-ts/linux";
 * import { chooseAccelerator, qemuArgv, QmpClient } from "@kata-ts/qemu-driver";
 *
 * const { accelerator } = await chooseAccelerator({ qemuPath, kernelPath });
 * const vm = spawnTied(qemuPath, qemuArgv({ ...config, accelerator }), ["ignore", "pipe", "pipe"]);
 * await using qmp = await QmpClient.connect(config.qmpSocket);
 * await qmp.execute("query-status");
 * ```
 *
 * @module
 */
export { chooseAccelerator, noteKvmGuest } from "./accelerator.ts";
export type { AcceleratorChoice, AcceleratorProbe } from "./accelerator-choice.ts";
export { qemuArgv } from "./argv.ts";
export { type Disk, hasScsiAdapter, plugDisk, plugScsiDisk, unplugDisk } from "./block.ts";
export type { Confinement, UserRange } from "./confinement/confinement.ts";
export { letCardIn } from "./confinement/passed-card.ts";
export { QemuError, type QemuErrorCode } from "./errors.ts";
export { findQemu } from "./find-qemu.ts";
export { growMemory, growVcpus } from "./grow.ts";
export { kernelCommandLine } from "./kernel-params.ts";
export { launchQemu, type QemuDescription, type QemuLaunch } from "./launcher.ts";
export { isMicrovm, MICROVM } from "./microvm.ts";
export { type Nic, plugNic, type TapBackend, unplugNic, type VfioBackend } from "./nic.ts";
export { option } from "./option.ts";
export { type QmpCallOptions, QmpClient, type QmpEvent } from "./qmp/client.ts";
export { LineReader } from "./qmp/line-reader.ts";
export { shrinkMemory } from "./resizable-memory.ts";
export { MAX_ROOT_PORTS, rootPortAt, rootPortName, rootPortPlace, takenRootPorts } from "./root-port.ts";
export { continueMachine, restoreMachine, type SaveWork, saveMachine, saveRunningMachine } from "./saved-machine.ts";
export { PreparedQemu, type QemuStartOptions } from "./start-qemu.ts";
export { type PluggedVirtioFs, plugVirtioFs } from "./virtio-fs.ts";
export type { Accelerator, SerialPort, VmConfig, VsockDevice } from "./vm-config.ts";
export type { DiskTuning, MachineTuning, MemoryTuning } from "./vm-tuning.ts";
