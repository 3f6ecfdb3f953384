import { EventEmitter } from "node:events";
import { connectAgent, type grpc } from "@kata-ts/agent-protocol";
import { dial, randomUuid } from "@kata-ts/linux";
import { noCgroups } from "../cgroup/no-cgroups.ts";
import { checkBinds } from "../container/bind-options.ts";
import { checkCapabilities } from "../container/check-capabilities.ts";
import { createFirstProcess } from "../container/first-process.ts";
import { unappliedResources } from "../container/guest-resources.ts";
import { watchOom } from "../container/stats.ts";
import { KataError } from "../errors.ts";
import { requirePrivileges } from "../host/privileges.ts";
import { type ContainerId, parseContainerId } from "../identifiers.ts";
import type { GuestInterface, GuestRoute } from "../network/guest-view.ts";
import { NamespaceNetwork } from "../network/namespace-network.ts";
import { noNetwork } from "../network/no-network.ts";
import type { Network } from "../ports/network.ts";
import type { Ports } from "../ports/ports.ts";
import { createSandbox, type LiveSandbox } from "../sandbox/create.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { MemoryStore } from "../store/memory-store.ts";
import { UndoStack } from "../undo.ts";
import { VmmHypervisor } from "../vm/vmm-hypervisor.ts";
import { defaultQemuConfig } from "../vmm-qemu/qemu-config.ts";
import { QemuVmm } from "../vmm-qemu/qemu-vmm.ts";
import { Container } from "./container.ts";
import { containerConfigOf } from "./container-config.ts";
import { endAtExit, leaveAtExit } from "./end-at-exit.ts";
import { publishStep, type SandboxEvents } from "./events.ts";
import { IdleWatch } from "./idle-watch.ts";
import type { ProcessResult } from "./process.ts";
import { checkOptions } from "./process-shape.ts";
import { type ResultOptions, resultOptionsOf } from "./result-options.ts";
import { SandboxLimits } from "./sandbox-limits.ts";
import type { ContainerOptions, SandboxOptions } from "./sandbox-options.ts";
import { containerAndResultShape, containerShape, sandboxShape } from "./sandbox-shape.ts";
import { traced } from "./tracing.ts";

const BOOT_DEADLINE_MS = 60_000;

/**
 * A VM for containers, owned by this process: it ends with the scope it was made in, and with the process.
 *
 * @example
 * await using sandbox = await Sandbox.create({ vm: { kernelPath, imagePath } });
 * await using container = await sandbox.createContainer({ rootfs: "/srv/alpine", args: ["uname", "-r"] });
 * const { process: guest } = await container.start();
 * for await (const line of guest) console.log(line);
 */
export class Sandbox implements AsyncDisposable {
  readonly id: ContainerId;
  /** `exit`, `oom` and `end`: what happens unasked. */
  readonly events: EventEmitter<SandboxEvents> = new EventEmitter();
  readonly #live: LiveSandbox;
  readonly #network: Network;
  readonly #limits: SandboxLimits;
  readonly #containers: Set<string> = new Set();
  readonly #over: AbortController = new AbortController();
  readonly #idle: IdleWatch;
  #ending: Promise<void> | undefined;

  private constructor(live: LiveSandbox, network: Network, idleWarningMs: number | undefined) {
    this.id = live.id;
    this.#idle = new IdleWatch(live.id, idleWarningMs);
    this.#live = live;
    this.#network = network;
    this.#limits = new SandboxLimits(live);
    live.vm.unref(); // From now on it is #idle that keeps the program running, or not.
    void live.vm.ended.then((exit) => {
      this.#over.abort();
      this.#idle.stop();
      leaveAtExit(this);
      this.events.emit("end", exit);
    });
    this.events.on("newListener", this.#watchOom);
  }

  /**
   * @param ports the ports to work through; QEMU in this process by default
   * @throws KataError KATA_CONFIG for options that are none, and the reason of a signal that is aborted
   */
  static async create(options: SandboxOptions, ports?: Ports): Promise<Sandbox> {
    checkOptions(sandboxShape, options, "Sandbox.create");
    options.signal?.throwIfAborted();
    const id = parseContainerId(options.id ?? randomUuid());
    return traced({ name: "sandbox.create", sandboxId: id }, () =>
      Sandbox.#create(id, options, ports ?? builtIn(options)),
    );
  }

  static async #create(id: ContainerId, options: SandboxOptions, ports: Ports): Promise<Sandbox> {
    using namespace = options.network === undefined ? undefined : ports.network.open(options.network.namespace);
    const live = await createSandbox(
      {
        id,
        hostname: options.hostname ?? id.slice(0, 12),
        sharePidNamespace: options.sharePidNamespace ?? false,
        bootDeadlineMs: options.bootDeadlineMs ?? BOOT_DEADLINE_MS,
        ...(namespace === undefined ? {} : { namespace, dns: options.network?.dns ?? [] }),
        signal: options.signal,
      },
      ports,
    );
    return new Sandbox(live, ports.network, options.idleWarningMs);
  }

  /** How the guest's instructions are executed, such as `tcg`. */
  get accelerator(): string {
    return this.#live.vm.state.accelerator;
  }

  /** It keeps the program running, as it does from the beginning. */
  ref(): this {
    this.#idle.ref();
    leaveAtExit(this);
    return this;
  }

  /**
   * It does not keep the program running while it does nothing: no call is under way, and no process runs. It ends when there is
   * nothing else left to do.
   */
  unref(): this {
    this.#idle.unref();
    if (this.#ending === undefined && this.isRunning) endAtExit(this);
    return this;
  }

  /** The ids of its containers. */
  get containers(): readonly string[] {
    return [...this.#containers];
  }

  /** Whether the VM is there. */
  get isRunning(): boolean {
    return this.#live.vm.isRunning();
  }

  /**
   * Runs a container to the end of its first process, and removes it.
   *
   * @throws the reason of a signal that is aborted before it runs: nothing has run then
   */
  async run(options: ContainerOptions & ResultOptions): Promise<ProcessResult> {
    checkOptions(containerAndResultShape, options, "run");
    const { signal } = options;
    signal?.throwIfAborted();
    await using container = await this.#traced(options);
    signal?.throwIfAborted();
    const { process: first } = await container.start();
    return await first.result(resultOptionsOf(options));
  }

  /** @throws KataError KATA_CONFIG for options that are none */
  async createContainer(options: ContainerOptions): Promise<Container> {
    checkOptions(containerShape, options, "createContainer");
    return await this.#traced(options);
  }

  async #traced(options: ContainerOptions): Promise<Container> {
    const id = parseContainerId(options.id ?? randomUuid());
    const operation = { name: "container.create", sandboxId: this.id, containerId: id };
    return this.#idle.during(traced(operation, () => this.#createContainer(id, options)));
  }

  async #createContainer(id: ContainerId, options: ContainerOptions): Promise<Container> {
    const config = await containerConfigOf(id, options);
    if (this.#containers.has(id)) throw new KataError("KATA_ID_IN_USE", `container with id exists: ${id}`);
    checkBinds(config.spec);
    const { agent, vm } = this.#live;
    checkCapabilities(config, vm);
    await using undo = new UndoStack();
    undo.push(() => this.#limits.remove(id));
    await this.#limits.set(id, config.spec.linux?.resources);
    const first = await createFirstProcess(config, { agent, vm }, undo, { onBusyDevice: refuseBusy });
    const { spec, token, warnings, hasDisks } = first;
    const unapplied = unappliedResources(spec.linux?.resources, false);
    for (const warning of [...unapplied, ...warnings]) process.emitWarning(warning);
    undo.keep();
    this.#containers.add(id);
    return new Container({
      id,
      sandboxId: this.id,
      hasDisks,
      process: spec.process ?? { cwd: "/" },
      agent,
      vm,
      idle: this.#idle,
      limits: this.#limits,
      onRemoved: () => this.#containers.delete(id),
      onExit: (exitCode) => this.events.emit("exit", { containerId: id, exitCode }),
      token,
    });
  }

  /** Brings the guest up to date with what has changed in its network namespace. */
  async syncNetwork(): Promise<void> {
    await this.#network.sync(this.#live.vm, this.#live.agent);
  }

  /** Gives the guest an interface of its network namespace, named by `device`. */
  async addInterface(wanted: GuestInterface): Promise<void> {
    await this.#network.add(this.#live.vm, this.#live.agent, wanted);
  }

  /** Takes the one with this MAC address, or with this name, out of the guest. */
  async removeInterface(unwanted: GuestInterface): Promise<void> {
    await this.#network.remove(this.#live.vm, this.#live.agent, unwanted);
  }

  listInterfaces(): Promise<grpc.Interfaces> {
    return wrapAgentError("list interfaces", this.#live.agent.listInterfaces({}));
  }

  listRoutes(): Promise<grpc.Routes> {
    return wrapAgentError("list routes", this.#live.agent.listRoutes({}));
  }

  /** Replaces the guest's routes, until they change in the namespace. */
  updateRoutes(routes: readonly GuestRoute[]): Promise<grpc.Routes> {
    return wrapAgentError("set up routes", this.#live.agent.updateRoutes({ routes: { Routes: [...routes] } }));
  }

  /** Ends the VM and everything in it; once it is gone, again is fine. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending ??= this.#end().catch((error: unknown) => {
      this.#ending = undefined;
      throw error;
    });
    await this.#ending;
  }

  async #end(): Promise<void> {
    this.#over.abort();
    leaveAtExit(this);
    const ended = traced({ name: "sandbox.end", sandboxId: this.id }, async () => this.#live[Symbol.asyncDispose]());
    await this.#idle.during(ended);
    this.#idle.stop();
  }

  /** The guest is asked only when the caller reads it. */
  readonly #watchOom = (event: string | symbol): void => {
    if (event !== "oom") return;
    this.events.off("newListener", this.#watchOom);
    const onOom = (containerId: string): void => {
      this.events.emit("oom", { containerId });
    };
    const isKnown = (containerId: string): boolean => this.#containers.has(containerId);
    void watchOom(this.#live.agent, isKnown, { signal: this.#over.signal, onOom });
  };
}

/** @throws KataError KATA_CONFIG */
function refuseBusy(message: string): never {
  throw new KataError("KATA_CONFIG", message, { hint: "unmount it on the host first" });
}

/** @throws KataError KATA_PRIVILEGES */
function builtIn(options: SandboxOptions): Ports {
  requirePrivileges();
  const { from: template } = options;
  const config = { ...defaultQemuConfig, ...(options.from === undefined ? options.vm : options.from.vm) };
  const warn = (message: string): void => {
    process.emitWarning(message);
  };
  const { network } = options;
  return {
    store: new MemoryStore(),
    hypervisor: new VmmHypervisor({ vmm: new QemuVmm(config), factory: template?.factory(warn) }),
    connectAgent: (url) => connectAgent(url, { keepsRunning: false, dial }),
    network:
      network === undefined
        ? noNetwork
        : new NamespaceNetwork({ model: network.model ?? "tcfilter", queues: config.vcpus, vhost: true, warn }),
    cgroups: noCgroups,
    warn,
    trace: publishStep,
  };
}
