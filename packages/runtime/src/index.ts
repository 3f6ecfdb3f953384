/**
 * What every entry point of kata-ts needs to run containers of OCI bundles: bundles to requests, configuration.toml to
 * options, and the ports that operations of virtcontainers work through. It parses no command line, and prints nothing.
 *
 * @example
 * ```ts
 * import { createFromBundle, loadBundle } from "@kata-ts/runtime";
 *
 * const { record } = await createFromBundle({ id, bundle: loadBundle("/srv/web"), oneOutput: false }, context);
 * ```
 *
 * @module
 */

export { withInheritedLimits } from "./bundle/inherited-limits.ts";
export {
  type Bundle,
  checkedBundle,
  loadBundle,
  loadProcess,
  loadSpec,
  parseProcess,
  parseResources,
} from "./bundle/load.ts";
export { savedProcess } from "./bundle/saved-process.ts";
export { CheckError, checked } from "./checked.ts";
export type { Configuration } from "./config/configuration.ts";
export { readOptions } from "./config/files.ts";
export { configurationPaths, findConfiguration, findInstallation, type Installation } from "./config/installation.ts";
export { exampleFile, optionsTable, withoutEffectTable } from "./config/pages.ts";
export { describeForAdministrators } from "./config/setting-names.ts";
export type { Composition, PortMakers, PortName, RuntimeContext, StepNotes } from "./context.ts";
export {
  type BundleContainer,
  type BundleRequest,
  createFromBundle,
  type RestoreRequest,
  restoreFromBundle,
} from "./create-from-bundle.ts";
export type { CallLog } from "./observe/call-log.ts";
export type { LogLevel } from "./observe/log-level.ts";
export type { Observation } from "./observe/observe.ts";
export type { SystemLog } from "./observe/system-log.ts";
export { openForExisting, openRuntime, type Runtime } from "./open-runtime.ts";
export { cleanUp } from "./pod/clean-up.ts";
export { Pod } from "./pod/pod.ts";
export type { PodCheckpointOptions, PodRequest, PodRestoreRequest } from "./pod/pod-container.ts";
export type { PodEvents } from "./pod/pod-events.ts";
export type { PodOptions } from "./pod/pod-options.ts";
export { type Exit, PodProcess } from "./pod/pod-process.ts";
export type { SandboxRequest } from "./pod/sandbox-request.ts";
export type { RuntimePorts } from "./ports/compose.ts";
export { makeHypervisor } from "./ports/hypervisor.ts";
export { machineOptions } from "./ports/machine-options.ts";
export { makeCache, makeTemplates } from "./ports/vm-sources.ts";
export { COMMIT, OCI_VERSION, VERSION } from "./version.ts";
