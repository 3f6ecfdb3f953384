import { bootId, identifyProcess, randomUuid } from "@kata-ts/linux";
import { hasCreateHooks, laterHooks, runCreateHooks, runPoststopHooks } from "../hooks/hooks.ts";
import type { HostCgroup } from "../ports/cgroups.ts";
import type { VmOverhead } from "../ports/hypervisor.ts";
import type { AllPorts } from "../ports/ports.ts";
import type { Shim } from "../ports/shims.ts";
import type { ContainerRecord } from "../ports/store.ts";
import { resourceRequestOf } from "../sandbox/sizing.ts";
import { UndoStack } from "../undo.ts";
import { checkBinds } from "./bind-options.ts";
import type { ContainerConfig } from "./config.ts";
import { createFirstProcess, type Guest } from "./first-process.ts";
import { unappliedResources } from "./guest-resources.ts";
import { hostLimitsOf } from "./host-limits.ts";
import { shimTarget } from "./shim-target.ts";
import { terminalOf } from "./terminal.ts";

export interface CreatedContainer {
  readonly record: ContainerRecord;
  readonly shim: Shim;
}

/** Where a container is to live. */
export interface Place {
  readonly sandboxId: string;
  /** A path to the network namespace of its processes on the host; without it the caller's. */
  readonly networkNamespace?: string | undefined;
  /** For the first container of a sandbox, whose cgroup holds the VM: what that takes beside the container. */
  readonly sandboxOverhead?: VmOverhead | undefined;
  /** Ends its hooks. */
  readonly signal?: AbortSignal | undefined;
}

/** Changes the record of a container that is being created, unless that was deleted meanwhile. */
type UpdateRecord = (changes: Partial<ContainerRecord>) => Promise<ContainerRecord>;

/** A container whose host's side is there. */
export interface BegunContainer {
  readonly shim: Shim;
  readonly cgroup: HostCgroup;
  readonly update: UpdateRecord;
}

/** The host's side of a new container: its id is taken, its cgroup made, its shim started, its hooks run. */
export async function beginContainer(
  config: ContainerConfig,
  { sandboxId, networkNamespace, sandboxOverhead, signal }: Place,
  ports: AllPorts,
  undo: UndoStack,
): Promise<BegunContainer> {
  const { store, shims, cgroups } = ports;
  checkBinds(config.spec);
  const { resources, cgroupsPath } = config.spec.linux ?? {};
  const limits = hostLimitsOf(resources, sandboxOverhead);
  for (const warning of unappliedResources(resources, sandboxOverhead !== undefined)) ports.warn(warning);
  const cgroup = cgroups.open(cgroupsPath, config.id, limits);
  const incarnation = randomUuid();
  await store.claim({ ...newRecord(config), incarnation, sandboxId, cgroup: cgroup.place });
  undo.push(async () => {
    await store.remove(config.id, { incarnation });
  });
  undo.push(() => cgroups.remove(cgroup.place));
  cgroup.make();

  // The shim loads its code while the VM boots; it takes over when the container is there.
  const shim = shims.launch({
    containerId: config.id,
    execId: config.id,
    rootfs: config.rootfs,
    networkNamespace,
    hasHooks: hasCreateHooks(config.spec),
    ...terminalOf(config.spec.process, config.consoleSocket),
    withoutStreams: config.withoutStreams ?? false,
    detached: config.detached,
    output: config.output,
  });
  undo.push(() => {
    shim.kill();
  });
  await cgroup.begin(shim.identity.pid);

  // Hooks find the container by the shim's pid; one of them may make its network.
  const update: UpdateRecord = (changes) =>
    store.update(config.id, (claimed) => ({ ...claimed, ...changes }), incarnation);
  const hooked = await update({ shim: shim.identity, ...(shim.isShared === true ? { sharedShim: true } : {}) });
  undo.push(() => runPoststopHooks(hooked, ports.warn));
  ports.trace?.("shim started", config.id);
  await runCreateHooks(config.spec, { ...hooked, shim: shim.hookProcess ?? shim.identity }, signal);
  if (config.spec.hooks !== undefined) ports.trace?.("hooks run", config.id);
  return { shim, cgroup, update };
}

/** The guest's side: the container exists there, and its shim has taken over. */
export async function finishContainer(
  config: ContainerConfig,
  { vm, agent, shim, update }: Pick<BegunContainer, "shim" | "update"> & Guest,
  ports: AllPorts,
): Promise<ContainerRecord> {
  await using undo = new UndoStack();
  const { warn: onBusyDevice, trace } = ports;
  const { token, warnings } = await createFirstProcess(config, { vm, agent }, undo, { onBusyDevice, trace });
  for (const warning of warnings) ports.warn(warning);
  ports.trace?.("process made in the guest", config.id);
  await shim.connect(shimTarget(vm.state, token));
  const record = await update({ status: "created" });
  ports.trace?.("container-created", config.id);
  undo.keep();
  return record;
}

function newRecord(config: ContainerConfig): Omit<ContainerRecord, "sandboxId"> {
  const hooks = laterHooks(config.spec);
  return {
    version: 2,
    id: config.id,
    status: "creating",
    generation: 0,
    ociVersion: config.spec.ociVersion,
    bundle: config.bundle,
    rootfs: config.rootfs,
    created: new Date().toISOString(),
    annotations: config.annotations,
    bootId: bootId(),
    worker: identifyProcess(process.pid),
    user: config.user,
    demand: resourceRequestOf(config.spec.linux?.resources),
    hooks,
  };
}
