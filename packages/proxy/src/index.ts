/**
 * Multiplexer and watchman of one virtual machine, as a library; `kata-proxy` is a thin program around it.
 *
 * @example
 * ```ts
 * import { Watchman } from "@kata-ts/proxy";
 *
 * const vm = await Watchman.start(spec);
 * const exit = await vm.ended; // why it ended, with the last console lines
 * ```
 *
 * @module
 */

export { COMMIT, type StartOutcome } from "./control.ts";
export { copySparse } from "./copy-sparse.ts";
export { engineResolver, readResolvConf } from "./engine-resolver.ts";
export type { BootPhase, BootTimeline } from "./guest-console.ts";
export { main } from "./main.ts";
export { Relay, type RelayOptions } from "./relay.ts";
export { type VmExit, VmFile, type VmPids, type VmProcesses, type VmSpec, type VmSurroundings } from "./vm-spec.ts";
export { Watchman } from "./watchman.ts";
