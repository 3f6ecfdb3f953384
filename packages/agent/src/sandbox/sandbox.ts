import type { Duplex } from "node:stream";
import {
  AgentRpcError,
  type FileOperation,
  type grpc,
  type RuntimeSpec,
  type SpecProcess,
} from "@kata-ts/agent-protocol";
import type { Commands } from "../commands.ts";
import { accountFilesIn } from "../container/account-files.ts";
import { applicableProcess, applicableSpec, type GuestAbilities, guestAbilities } from "../container/applicable.ts";
import { Container, type ExecWishes, type OutputWishes } from "../container/container.ts";
import { nameFor } from "../container/container-name.ts";
import type { ContainerProcess } from "../container/container-process.ts";
import { withPluggedDevices } from "../container/guest-devices.ts";
import { findGuestHooks, type GuestHooks, withGuestHooks } from "../container/guest-hooks.ts";
import { toGuestSpec } from "../container/guest-spec.ts";
import { processWithHome, withHome } from "../container/home.ts";
import { processWithUser, withNamedUser } from "../container/named-user.ts";
import { OciRuntime } from "../container/oci-runtime.ts";
import { serveOwned } from "../container/process-owner.ts";
import { RootDev } from "../container/root-dev.ts";
import { StreamTokens } from "../container/stream-tokens.ts";
import { applySharedSysctls } from "../container/sysctl.ts";
import { unsaid } from "../container/unsaid.ts";
import { alreadyExists, containerNotFound, failedPrecondition, invalidArgument } from "../errors.ts";
import { failureOf, operate, rootOf } from "../files/operate.ts";
import { Transfers } from "../files/transfers.ts";
import { loadKernelModules } from "../guest/kernel-modules.ts";
import { OomEvents } from "../guest/oom.ts";
import { writeResolvConf } from "../guest/resolv-conf.ts";
import { log } from "../log.ts";
import type { Reaper } from "../reaper.ts";
import { PublishedVolumes } from "../storage/published-volumes.ts";
import { SharedTreeUse } from "../storage/shared-tree.ts";
import { Storages } from "../storage/storage.ts";
import { SandboxNamespaces } from "./namespaces.ts";

export interface SandboxDependencies {
  readonly commands: Commands;
  readonly reaper: Reaper;
  /** `crun` or `runc`. */
  readonly runtime: string;
  /** Its path, or its name where PATH has it. */
  readonly program: string;
}

/** What a container is made of, beside its config.json. */
export type NewContainer = Pick<
  grpc.CreateContainerRequest,
  "container_id" | "exec_id" | "storages" | "sandbox_pidns"
> &
  Partial<Pick<grpc.CreateContainerRequest, "devices">>;

export interface UserWish {
  /** USER or USER:GROUP by the container's own files; empty: as the process says. */
  readonly user?: string;
}

export interface StartedProcess {
  readonly process: ContainerProcess;
  /** What this guest could not apply, and left out. */
  readonly warnings: readonly string[];
}

interface Entry {
  readonly container: Container;
  mountPoints: string[];
  /** The warnings that its processes have had. */
  readonly said: Set<string>;
}

/** The one sandbox of this guest: its shared namespaces, its storages and its containers. */
export class Sandbox {
  readonly #dependencies: SandboxDependencies;
  readonly #runtime: OciRuntime;
  readonly #storages = new Storages();
  readonly #sharedTree = new SharedTreeUse();
  readonly #published = new PublishedVolumes();
  readonly #containers: Map<string, Entry> = new Map();
  /** Which containers ran out of memory. */
  readonly oom: OomEvents = new OomEvents();
  readonly #streamTokens = new StreamTokens();
  readonly #transfers = new Transfers(failureOf);
  readonly #abilities: GuestAbilities;
  #namespaces: SandboxNamespaces | undefined;
  #hooks: GuestHooks = {};
  /** What an earlier sandbox had. */
  #givenBack: Promise<void> = Promise.resolve();

  constructor(dependencies: SandboxDependencies) {
    this.#dependencies = dependencies;
    this.#runtime = new OciRuntime(dependencies.commands, dependencies.program);
    this.#abilities = guestAbilities(dependencies.runtime);
  }

  async create(request: grpc.CreateSandboxRequest): Promise<void> {
    await this.#givenBack;
    if (this.#namespaces !== undefined) throw alreadyExists("Sandbox already started");
    this.#namespaces = new SandboxNamespaces(request.hostname);
    try {
      await loadKernelModules(this.#dependencies.commands, request.kernel_modules);
      await this.#storages.add(request.storages);
      this.#hooks = findGuestHooks(request.guest_hook_path);
      writeResolvConf(request.dns);
    } catch (error) {
      this.#namespaces.remove();
      this.#namespaces = undefined;
      throw error;
    }
  }

  /**
   * Ends every process, and writes to disks what waits for them. Memory, mounts and the like are given back only after
   * that: no call has to wait for it, and a guest that is ended now need not do it at all.
   */
  async destroy(): Promise<void> {
    await this.#givenBack;
    const ends = await Promise.allSettled([...this.#containers.values()].map(({ container }) => container.end()));
    const disks = await Promise.allSettled([this.#storages.releaseDisks()]);
    const namespaces = this.#namespaces;
    this.#namespaces = undefined;
    this.#givenBack = this.#giveBack(namespaces);
    const failure = [...ends, ...disks].find((outcome) => outcome.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  }

  async #giveBack(namespaces: SandboxNamespaces | undefined): Promise<void> {
    await new Promise(setImmediate); // The reply goes out first.
    const discard = (id: string) => () =>
      this.#remove(id, (container) => {
        container.discard();
      });
    const steps = [
      ...[...this.#containers.keys()].map(discard),
      () => this.#storages.releaseAll(),
      () => namespaces?.remove(),
    ];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        log(`something of the sandbox was not given back: ${String(error)}`);
      }
    }
  }

  /**
   * @param spec config.json, with the guest's paths; the host's namespaces and cgroup in it are replaced
   * @throws AgentRpcError; nothing is left then
   */
  async createContainer(
    request: NewContainer,
    spec: RuntimeSpec,
    { user = "", ...outputs }: OutputWishes & UserWish = {},
  ): Promise<StartedProcess> {
    const namespaces = this.#namespaces;
    const id = request.container_id;
    if (namespaces === undefined) throw failedPrecondition("Sandbox not started");
    checkId(id);
    if (this.#containers.has(id)) throw alreadyExists(`Container ${id} exists`);
    const name = nameFor(id, new Set([...this.#containers.values()].map((other) => other.container.name)));
    const parts = { ...this.#dependencies, runtime: this.#runtime, streamTokens: this.#streamTokens };
    const container = new Container(id, name, parts);
    const entry: Entry = { container, mountPoints: [], said: new Set() };
    this.#containers.set(id, entry);
    this.#sharedTree.begin(name, spec);
    let dev: RootDev | undefined;
    try {
      entry.mountPoints = await this.#storages.add(request.storages);
      const shared = await namespaces.sharedBy(spec, request.sandbox_pidns);
      const placed = await this.#published.begin(name, spec);
      const numbered = await withPluggedDevices(placed, request.devices ?? []);
      if (numbered.root !== undefined) dev = new RootDev(numbered.root.path);
      const guestSpec = applySharedSysctls(toGuestSpec(numbered, name, shared), shared);
      const { value, warnings } = applicableSpec(guestSpec, this.#abilities);
      const process = await container.create(
        request.exec_id === "" ? id : request.exec_id,
        withGuestHooks(await withHome(await withNamedUser(value, user)), this.#hooks),
        spec,
        outputs,
      );
      this.oom.watch(id, container.cgroup);
      return { process, warnings: unsaid(warnings, entry.said) };
    } catch (cause) {
      const error = dev?.explain(cause) ?? cause;
      await container.remove().catch(() => undefined);
      await this.#published.end(name);
      this.#sharedTree.end(name);
      await this.#storages.release(entry.mountPoints);
      this.#containers.delete(id);
      throw error;
    }
  }

  /** Lets a container's first process run. */
  async start(id: string): Promise<void> {
    await this.#sharedTree.refreshFiles(id);
    await this.container(id).start();
  }

  /** Another process in a container that runs. */
  async exec(
    containerId: string,
    execId: string,
    spec: SpecProcess,
    { user = "", ...wishes }: ExecWishes & UserWish = {},
  ): Promise<StartedProcess> {
    const { container, said } = this.#entry(containerId);
    const { value, warnings } = applicableProcess(spec, this.#abilities);
    const files = accountFilesIn(`/proc/${String(container.init.pid)}/root`);
    const process = await processWithHome(await processWithUser(value, user, files), files);
    return { process: await container.exec(execId, process, wishes), warnings: unsaid(warnings, said) };
  }

  /** @returns the operation's result, or what opens its stream. @throws AgentRpcError for a container that has ended */
  async operateOnFiles(id: string, operation: FileOperation): Promise<{ result: Buffer } | { token: Buffer }> {
    const { init } = this.container(id);
    if (!init.running) throw failedPrecondition(`Container ${id} has ended: its files are no longer together`);
    try {
      const operated = await operate(rootOf(init.pid), operation);
      if ("work" in operated) return { token: this.#transfers.begin(id, operated.work) };
      return { result: Buffer.from(JSON.stringify(operated)) };
    } catch (error) {
      if (error instanceof AgentRpcError) throw error;
      return { result: Buffer.from(JSON.stringify({ failure: failureOf(error) })) };
    }
  }

  /** A name for a process, by which its stream can be opened. */
  ticket({ process, warnings }: StartedProcess): { token: Buffer; warnings: string[] } {
    return { token: this.#streamTokens.issue(process), warnings: [...warnings] };
  }

  /** Gives a process to the stream that names it. An unknown token ends the stream. */
  serveProcess(stream: Duplex, token: Buffer, channelIsOver: () => boolean): void {
    if (this.#transfers.serve(stream, token)) return;
    const process = this.#streamTokens.find(token);
    if (process === undefined) {
      stream.destroy();
      return;
    }
    serveOwned(stream, process, channelIsOver, () => {
      for (const { container } of this.#containers.values()) container.forget(process);
    });
  }

  container(id: string): Container {
    return this.#entry(id).container;
  }

  #entry(id: string): Entry {
    const entry = this.#containers.get(id);
    if (entry === undefined) throw containerNotFound(id);
    return entry;
  }

  /** @throws AgentRpcError where there is no such container, or another one has the new id */
  rename(id: string, newId: string): void {
    const entry = this.#entry(id);
    checkId(newId);
    if (this.#containers.has(newId)) throw alreadyExists(`Container ${newId} exists`);
    entry.container.rename(newId);
    this.#containers.delete(id);
    this.#containers.set(newId, entry);
    this.oom.forget(id);
    this.oom.watch(newId, entry.container.cgroup);
  }

  async removeContainer(id: string): Promise<void> {
    await this.#remove(id, (container) => container.remove());
  }

  async #remove(id: string, end: (container: Container) => Promise<void> | void): Promise<void> {
    const entry = this.#entry(id);
    this.oom.forget(id);
    await this.#transfers.end(id);
    await end(entry.container);
    this.#containers.delete(id);
    await this.#published.end(entry.container.name);
    this.#sharedTree.end(entry.container.name);
    await this.#storages.release(entry.mountPoints);
  }
}

function checkId(id: string): void {
  if (!/^[\w.+-]{1,255}$/.test(id) || id === "." || id === "..") throw invalidArgument(`Bad container id "${id}"`);
}

/** Kata passes a user by number as text, beside the spec. */
export function withUser(spec: RuntimeSpec, user: grpc.StringUser.$Properties | null | undefined): RuntimeSpec {
  if (user === null || user === undefined || spec.process === undefined) return spec;
  const uid = Number.parseInt(user.uid ?? "", 10);
  const gid = Number.parseInt(user.gid ?? "", 10);
  if (Number.isNaN(uid) || Number.isNaN(gid)) return spec;
  const additionalGids = (user.additionalGids ?? []).map(Number);
  return { ...spec, process: { ...spec.process, user: { ...spec.process.user, uid, gid, additionalGids } } };
}
