import type { EventEmitter } from "node:events";
import { randomUuid } from "@kata-ts/linux";
import type { GuestProcess } from "@kata-ts/shim";
import { checkBinds } from "../container/bind-options.ts";
import { checkCapabilities } from "../container/check-capabilities.ts";
import { createFirstProcess } from "../container/first-process.ts";
import { unappliedResources } from "../container/guest-resources.ts";
import { KataError } from "../errors.ts";
import { type ContainerId, parseContainerId } from "../identifiers.ts";
import type { LiveSandbox } from "../sandbox/live-sandbox.ts";
import type { SavedContainer } from "../snapshot/manifest.ts";
import { UndoStack } from "../undo.ts";
import { refuseBusy } from "./built-in-ports.ts";
import { Container } from "./container.ts";
import { containerConfigOf } from "./container-config.ts";
import type { ContainerParts } from "./container-parts.ts";
import { ContainerRemoval } from "./container-removal.ts";
import { detachContainer, notStarted, openDetached, roomFor } from "./detach-container.ts";
import type { DetachedContainer } from "./detached-note.ts";
import type { SandboxEvents } from "./events.ts";
import { Gate } from "./gate.ts";
import type { IdleWatch } from "./idle-watch.ts";
import type { RunningContainer } from "./running-container.ts";
import { SandboxLimits } from "./sandbox-limits.ts";
import type { SandboxNetwork } from "./sandbox-network.ts";
import type { ContainerOptions } from "./sandbox-options.ts";
import { reattach, savedContainer } from "./snapshot.ts";
import { traced } from "./tracing.ts";

interface Surroundings {
  readonly live: LiveSandbox;
  readonly network: SandboxNetwork;
  readonly events: EventEmitter<SandboxEvents>;
  readonly idle: IdleWatch;
}

/** What is done where a sandbox is detached, in this order. */
interface Detaching<T> {
  /** Before anything changes. */
  readonly check: () => void;
  /** @param room containers whose description is no shorter than it will be */
  readonly prepare: (room: readonly DetachedContainer[]) => Promise<void>;
  readonly detach: (containers: readonly DetachedContainer[]) => Promise<T>;
}

/** The containers of one sandbox. */
export class SandboxContainers {
  readonly #live: LiveSandbox;
  readonly #network: SandboxNetwork;
  readonly #events: EventEmitter<SandboxEvents>;
  readonly #idle: IdleWatch;
  readonly #limits: SandboxLimits;
  readonly #gate: Gate = new Gate();
  readonly #all: Map<string, ContainerParts> = new Map();
  /** The first processes that were let run. */
  readonly #started: Map<string, GuestProcess> = new Map();
  #isLetGo = false;

  constructor({ live, network, events, idle }: Surroundings) {
    this.#live = live;
    this.#network = network;
    this.#events = events;
    this.#idle = idle;
    this.#limits = new SandboxLimits(live);
  }

  get ids(): readonly string[] {
    return [...this.#all.keys()];
  }

  has(id: string): boolean {
    return this.#all.has(id);
  }

  async create(options: ContainerOptions): Promise<Container> {
    const id = parseContainerId(options.id ?? randomUuid());
    const operation = { name: "container.create", sandboxId: this.#live.id, containerId: id };
    return this.#idle.during(() => this.#gate.pass(() => traced(operation, () => this.#create(id, options))));
  }

  /** One that the VM was restored with, and that runs. */
  async adopt({ id: name, process, user, hasDisks, demand }: SavedContainer): Promise<RunningContainer> {
    this.#limits.adopt(name, demand);
    return await reattach(this.#add(parseContainerId(name), { process, user, hasDisks }));
  }

  /** Those of a sandbox that was detached. */
  open(all: readonly DetachedContainer[]): Promise<RunningContainer[]> {
    const opened = all.map((detached) => {
      const { id: name, process, user, hasDisks, demand } = detached;
      this.#limits.adopt(name, demand);
      return openDetached(this.#add(parseContainerId(name), { process, user, hasDisks }), detached);
    });
    return Promise.all(opened);
  }

  /**
   * Their first processes go on without this program, also those whose streams it has asked for, and not got yet.
   *
   * @returns what the next program needs of those whose streams it had got
   */
  async letAllGo(): Promise<DetachedContainer[]> {
    this.#isLetGo = true;
    const got = [...this.#all.values()].filter(({ id }) => this.#started.has(id));
    return Promise.all(got.map((each) => detachContainer(each, this.#started.get(each.id))));
  }

  /**
   * Detaches the sandbox with those that it has: none comes or goes meanwhile, or afterwards.
   *
   * @throws KataError KATA_STATE for one that waits to be started
   */
  letGo<T>(signal: AbortSignal | undefined, { check, prepare, detach }: Detaching<T>): Promise<T> {
    return this.#gate.alone(signal, async () => {
      this.#idle.requireCalls(); // Another call may have detached it meanwhile, and another program have it by now.
      check();
      const waiting = [...this.#all.keys()].find((id) => !this.#started.has(id));
      if (waiting !== undefined) throw notStarted(this.#live.id, waiting);
      const parts = [...this.#all.values()];
      await prepare(parts.map(roomFor));
      check(); // Something may have begun meanwhile.
      this.#idle.refuseCalls("is being detached");
      try {
        const left = await Promise.all(parts.map((each) => detachContainer(each, this.#started.get(each.id))));
        const result = await detach(left);
        this.#isLetGo = true;
        return result;
      } finally {
        this.#idle.refuseCalls(this.#isLetGo ? "was detached" : undefined);
      }
    });
  }

  /**
   * Saves the sandbox with those that it has: none comes or goes meanwhile.
   *
   * @throws KataError KATA_STATE for one that waits to be started; the signal's reason
   */
  whileSaved<T>(signal: AbortSignal | undefined, save: (saved: SavedContainer[]) => Promise<T>): Promise<T> {
    return this.#gate.alone(signal, () =>
      save([...this.#all.values()].map((parts) => savedContainer(parts, this.#started))),
    );
  }

  async #create(id: ContainerId, options: ContainerOptions): Promise<Container> {
    const config = await containerConfigOf(id, options, this.#network.mounts);
    if (this.#all.has(id)) throw new KataError("KATA_ID_IN_USE", `container with id exists: ${id}`);
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
    return new Container(this.#add(id, { hasDisks, process: spec.process ?? { cwd: "/" }, user: config.user, token }));
  }

  #add(id: ContainerId, made: Pick<ContainerParts, "hasDisks" | "process" | "token" | "user">): ContainerParts {
    const whole: Omit<ContainerParts, "remove"> = {
      ...made,
      id,
      sandboxId: this.#live.id,
      agent: this.#live.agent,
      vm: this.#live.vm,
      idle: this.#idle,
      gate: this.#gate,
      limits: this.#limits,
      onStarted: (first) => {
        this.#started.set(id, first);
        if (this.#isLetGo) void first.detach();
      },
      isLetGo: () => this.#isLetGo,
      onRemoved: () => {
        this.#all.delete(id);
        this.#started.delete(id);
      },
      onExit: (exitCode) => this.#events.emit("exit", { containerId: id, exitCode }),
    };
    const removal = new ContainerRemoval(whole);
    const parts: ContainerParts = { ...whole, remove: () => removal.run() };
    this.#all.set(id, parts);
    return parts;
  }
}
