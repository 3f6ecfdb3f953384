/**
 * Sandboxes, containers and processes isolated by virtual machines.
 *
 * `Sandbox` is for programs that embed containers: the VM belongs to the calling process. The functions on container
 * ids are for runtimes, whose containers outlive each call; they work through `Ports`.
 *
 * @example
 * ```ts
 * import { Sandbox } from "@kata-ts/virtcontainers";
 *
 * await using sandbox = await Sandbox.create();
 * const { exitCode, stdout } = await sandbox.run({ rootfs, args: ["echo", "hello"] });
 * ```
 *
 * @module
 */
export type { InterworkingModel, RateLimits } from "@kata-ts/netns";
export type { ConnectOptions, Egress, EgressDecision, PublishedPort } from "@kata-ts/netns/nat";
export type { GuestProcess } from "@kata-ts/shim";
export { type Preparation, prepareVm } from "./cache/prepare.ts";
export { failedAt, type RefillFailure } from "./cache/refill-failure.ts";
export { VmCache, type VmCacheOptions } from "./cache/vm-cache.ts";
export { HostCgroups, type HostCgroupsOptions } from "./cgroup/host-cgroups.ts";
export { noCgroups } from "./cgroup/no-cgroups.ts";
export { PodCgroups } from "./cgroup/pod-cgroups.ts";
export type { BlockDevice } from "./container/block-devices.ts";
export {
  type CheckpointOptions,
  checkpointContainer,
  continueContainer,
  saveContainer,
} from "./container/checkpoint.ts";
export type { ContainerConfig } from "./container/config.ts";
export { createContainer, createEmptySandbox, type NewSandboxConfig } from "./container/create.ts";
export type { CreatedContainer } from "./container/creation.ts";
export { debugGuest, type GuestShell } from "./container/debug.ts";
export { type DeleteOptions, deleteContainer } from "./container/delete.ts";
export { type ExecOptions, execInContainer } from "./container/exec.ts";
export { joinSandbox } from "./container/join.ts";
export { noteExit } from "./container/note-exit.ts";
export { type OpenFiles, openFiles } from "./container/open-files.ts";
export { pauseContainer, resumeContainer } from "./container/pause.ts";
export { listProcesses } from "./container/processes.ts";
export { type RestoreContainerOptions, restoreContainer } from "./container/restore.ts";
export { killContainer } from "./container/signal.ts";
export { startContainer } from "./container/start.ts";
export {
  type ContainerStats,
  containerStats,
  hostOomOf,
  oomEvents,
  watchOom,
  watchStopped,
} from "./container/stats.ts";
export { type ContainerStatus, pidOf, statusOf } from "./container/status.ts";
export { updateContainer } from "./container/update.ts";
export { Container } from "./embedded/container.ts";
export { defaultSpec, type ProcessDefaults } from "./embedded/default-spec.ts";
export type { SandboxEvents, Step } from "./embedded/events.ts";
export { ContainerFiles } from "./embedded/files/container-files.ts";
export type { FileContent } from "./embedded/files/file-content.ts";
export { ContainerFileError } from "./embedded/files/file-error.ts";
export type {
  CopyInOptions,
  CopyOutOptions,
  CopyProgress,
  FileAttributes,
  FileChange,
  ListOptions,
  MkdirOptions,
  ReadOptions,
  RemoveOptions,
  StatOptions,
  WriteOptions,
} from "./embedded/files/file-options.ts";
export type { ForkOptions } from "./embedded/fork-options.ts";
export type { FindOptions, FindPorts, FoundSandbox, FoundState } from "./embedded/found-sandbox.ts";
export type { LimitOptions } from "./embedded/limit.ts";
export type { NetworkOptions, PortOptions, SandboxNetworkChoice } from "./embedded/network-options.ts";
export { Process } from "./embedded/process.ts";
export type { ProcessResult } from "./embedded/process-result.ts";
export type { ResultOptions } from "./embedded/result-options.ts";
export { PausedContainer, RunningContainer } from "./embedded/running-container.ts";
export { Sandbox } from "./embedded/sandbox.ts";
export type { ContainerOptions, SandboxOptions } from "./embedded/sandbox-options.ts";
export type { RestoreOptions, Snapshot, SnapshotOptions, SuspendedSandbox } from "./embedded/snapshot.ts";
export { Template, type TemplateOptions } from "./embedded/template.ts";
export type { Operation } from "./embedded/tracing.ts";
export type { UserOption } from "./embedded/user.ts";
export type { VmOptions } from "./embedded/vm-options.ts";
export type { HealthcheckReadiness, HttpReadiness, LogReadiness, Readiness } from "./embedded/wait-for.ts";
export { KataError, type KataErrorCode, reasonOf } from "./errors.ts";
export type { Prerequisite } from "./host/prerequisite.ts";
export { requirePrivileges } from "./host/privileges.ts";
export { type LogLine, type LogSource, vmLogs } from "./host/vm-logs.ts";
export { type ContainerId, parseContainerId } from "./identifiers.ts";
export { followNetwork } from "./network/follow.ts";
export type { GuestInterface, GuestRoute } from "./network/guest-view.ts";
export { hostNetworkRefused } from "./network/host-network.ts";
export { NamespaceNetwork, type NamespaceNetworkOptions } from "./network/namespace-network.ts";
export { hostNamespaceNetwork, noNetwork } from "./network/no-network.ts";
export {
  addInterface,
  listInterfaces,
  listRoutes,
  removeInterface,
  syncNetwork,
  updateRoutes,
} from "./network/operations.ts";
export type { Agent, ConnectAgent } from "./ports/agent.ts";
export type { VmCapabilities, VmCapability } from "./ports/capabilities.ts";
export type {
  CgroupPlace,
  Cgroups,
  CpuTime,
  HostBlockIo,
  HostCgroup,
  HostLimits,
  RecordedCgroup,
  Throttle,
} from "./ports/cgroups.ts";
export type {
  BootRequest,
  DiskOptions,
  FoundVm,
  Hypervisor,
  NicBackend,
  PluggedNic,
  ShareOptions,
  Vm,
  VmGrowth,
  VmOverhead,
  VmState,
} from "./ports/hypervisor.ts";
export { LeftStanding } from "./ports/left-standing.ts";
export type { Network, NetworkAttachment } from "./ports/network.ts";
export type { AllPorts, Ports } from "./ports/ports.ts";
export type { Shim, ShimRequest, Shims, ShimTerminal } from "./ports/shims.ts";
export type { ContainerRecord, RecordedStatus, ResourceRequest, Store } from "./ports/store.ts";
export type {
  Machine,
  MachineFiles,
  MachineIdentity,
  MachinePlace,
  SavableMachine,
  SharedTreeSettings,
  Vmm,
  VmSettings,
} from "./ports/vmm.ts";
export { collectGarbage, type Garbage, type GarbageOptions } from "./sandbox/collect-garbage.ts";
export type { GuestSetup, SandboxConfig } from "./sandbox/create.ts";
export { endSandbox } from "./sandbox/end.ts";
export { GUEST_SHM } from "./sandbox/shared-memory.ts";
export { ExternalShims, type ExternalShimsOptions } from "./shims/external-shims.ts";
export { LocalShim, LocalShims } from "./shims/local-shims.ts";
export { FileStore } from "./store/file-store.ts";
export { MemoryStore } from "./store/memory-store.ts";
export { buildTemplate, findTemplate, type TemplateRequest } from "./template/build-template.ts";
export type { Factory } from "./template/clone.ts";
export type { SavedGuest } from "./template/saved-guest.ts";
export { Templates } from "./template/templates.ts";
export { undoAfter } from "./undo.ts";
export type { VmHandle } from "./vm/vm-handle.ts";
export { VmmHypervisor } from "./vm/vmm-hypervisor.ts";
export type { VmmHypervisorOptions } from "./vm/vmm-hypervisor-options.ts";
export { type HostReport, type InspectOptions, inspectHost } from "./vmm-qemu/inspect-host.ts";
export { DEFAULT_CONFINEMENT, defaultQemuConfig, type QemuConfig } from "./vmm-qemu/qemu-config.ts";
export { QemuVmm } from "./vmm-qemu/qemu-vmm.ts";
