/**
 * Multiplexer and supervisor of one virtual machine, as a library; `kata-proxy` is a thin program around it.
 *
 * @example
 * ```ts
 * import { VmSupervisor } from "@kata-ts/proxy";
 * import { launchQemu } from "@kata-ts/qemu-driver";
 *
 * const vm = await VmSupervisor.start(spec, launchQemu);
 * const exit = await vm.ended; // why it ended, with the last console lines
 * ```
 *
 * @module
 */

export { COMMIT, TAKE } from "./control.ts";
export { copySparse } from "./copy-sparse.ts";
export { engineResolver, readResolvConf } from "./engine-resolver.ts";
export { findVirtiofsd } from "./find-virtiofsd.ts";
export type { BootPhase, BootTimeline } from "./guest-console.ts";
export type {
  LaunchOptions,
  MachineDescription,
  MachineFiles,
  MachineLauncher,
  PreparedMachine,
  VsockDevice,
} from "./machine-launcher.ts";
export { main } from "./main.ts";
export { Relay, type RelayOptions } from "./relay.ts";
export type { VirtiofsdConfig } from "./virtiofsd.ts";
export { type VirtiofsdKind, type VirtiofsdVersion, virtiofsdVersion } from "./virtiofsd-kind.ts";
export {
  type StartOutcome,
  type VmExit,
  VmFile,
  type VmProcesses,
  type VmSpec,
  type VmSurroundings,
  type VsockSpec,
} from "./vm-spec.ts";
export { startOutcome, vmExit } from "./vm-spec-shape.ts";
export { VmSupervisor } from "./vm-supervisor.ts";
