import { bootId, identifyProcess, randomUuid } from "@kata-ts/linux";
import type { ShimEnvironment } from "../environment.ts";
import { laterHooks, runCreateHooks, runPoststopHooks } from "../hooks/hooks.ts";
import type { Agent } from "../ports/agent.ts";
import type { HostCgroup } from "../ports/cgroups.ts";
import type { Vm, VmOverhead } from "../ports/hypervisor.ts";
import type { Shim } from "../ports/shims.ts";
import type { ContainerRecord } from "../ports/store.ts";
import { asked } from "../sandbox/asked.ts";
import { demandOf } from "../sandbox/sizing.ts";
import { UndoStack } from "../undo.ts";
import { checkBinds } from "./bind-options.ts";
import type { ContainerConfig } from "./config.ts";
import { unappliedResources } from "./guest-resources.ts";
import { hostLimitsOf } from "./host-limits.ts";
import { createInGuest, type Started } from "./in-guest.ts";
import { prepareDevices } from "./prepare-devices.ts";
import { prepareMounts } from "./prepare-mounts.ts";
import { terminalOf } from "./terminal.ts";

export interface CreatedContainer {
  readonly record: ContainerRecord;
  readonly shim: Shim;
}

/** Where a container is to live. */
export interface Place {
  readonly sandboxId: string;
  /** A path to the network namespace of its processes on the host; without it the caller's. */
  readonly networkNamespace?: string;
  /** For the first container of a sandbox, whose cgroup holds the VM: what that takes beside the container. */
  readonly sandboxOverhead?: VmOverhead;
  /** Ends its hooks. */
  readonly signal?: AbortSignal;
}

/** Changes the record of a container that is being created, unless that was deleted meanwhile. */
type UpdateRecord = (changes: Partial<ContainerRecord>) => Promise<ContainerRecord>;

interface BegunContainer {
  readonly shim: Shim;
  readonly cgroup: HostCgroup;
  readonly update: UpdateRecord;
}

/** The host's side of a new container: its id is taken, its cgroup made, its shim started, its hooks run. */
export async function beginContainer(
  config: ContainerConfig,
  { sandboxId, networkNamespace, sandboxOverhead, signal }: Place,
  environment: ShimEnvironment,
  undo: UndoStack,
): Promise<BegunContainer> {
  const { store, shims, cgroups } = environment;
  checkBinds(config.spec);
  const { resources, cgroupsPath } = config.spec.linux ?? {};
  const limits = hostLimitsOf(resources, sandboxOverhead);
  for (const warning of unappliedResources(resources, sandboxOverhead !== undefined)) environment.warn(warning);
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
    ...(networkNamespace === undefined ? {} : { networkNamespace }),
    ...terminalOf(config.spec.process, config.consoleSocket),
    ...(config.output === undefined ? {} : { output: config.output }),
  });
  undo.push(() => {
    shim.kill();
  });
  await cgroup.begin(shim.identity.pid);

  // Hooks find the container by the shim's pid; one of them may make its network.
  const update: UpdateRecord = (changes) =>
    store.update(config.id, (claimed) => ({ ...claimed, ...changes }), incarnation);
  const hooked = await update({ shim: shim.identity });
  undo.push(() => runPoststopHooks(hooked, environment.warn));
  environment.trace?.("shim started", config.id);
  await runCreateHooks(config.spec, hooked, signal);
  if (config.spec.hooks !== undefined) environment.trace?.("hooks run", config.id);
  return { shim, cgroup, update };
}

/** The guest's side: the container exists there, and its shim has taken over. */
export async function finishContainer(
  config: ContainerConfig,
  { vm, agent, shim, update }: Pick<BegunContainer, "shim" | "update"> & { readonly vm: Vm; readonly agent: Agent },
  environment: ShimEnvironment,
): Promise<ContainerRecord> {
  await using undo = new UndoStack();
  const { token, warnings } = await createFirstProcess(config, vm, agent, undo, environment);
  for (const warning of warnings) environment.warn(warning);
  environment.trace?.("process made in the guest", config.id);
  await shim.connect({ agent: vm.state.agentUrl, ...(token === undefined ? {} : { token }) });
  const record = await update({ status: "created" });
  environment.trace?.("container-created", config.id);
  undo.keep();
  return record;
}

/** Kata's name for it. */
const BUNDLE_ANNOTATION = "io.katacontainers.pkg.oci.bundle_path";

async function createFirstProcess(
  config: ContainerConfig,
  vm: Vm,
  agent: Agent,
  undo: UndoStack,
  { trace, warn }: ShimEnvironment,
): Promise<Started> {
  const { spec, storages } = await prepareMounts(config, vm, undo);
  const devices = await prepareDevices(config, vm, undo, warn);
  trace?.("mounts prepared", config.id);
  // What startContainer hooks are told of the bundle.
  const annotated = { ...spec, annotations: { ...spec.annotations, [BUNDLE_ANNOTATION]: config.bundle } };
  const sharePid = config.sharePidNamespace ?? false;
  const names = { container_id: config.id, exec_id: config.id };
  const request = { ...names, sandbox_pidns: sharePid, storages: [...storages], devices };
  return asked(`create container ${config.id}`, createInGuest(agent, request, annotated, config.oneOutput));
}

function newRecord(config: ContainerConfig): Omit<ContainerRecord, "sandboxId"> {
  const hooks = laterHooks(config.spec);
  return {
    version: 1,
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
    demand: demandOf(config.spec.linux?.resources),
    ...(hooks === undefined ? {} : { hooks }),
  };
}
