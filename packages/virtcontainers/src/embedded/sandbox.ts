import { EventEmitter } from "node:events";
import { randomUuid } from "@kata-ts/linux";
import { reasonOf } from "../errors.ts";
import { type ContainerId, parseContainerId } from "../identifiers.ts";
import { endOnAbort } from "../interruption.ts";
import type { Ports } from "../ports/ports.ts";
import type { LiveSandbox } from "../sandbox/live-sandbox.ts";
import { openSnapshot } from "../sandbox/restore.ts";
import type { OpenSnapshot } from "../snapshot/open-snapshot.ts";
import { UndoStack, undoAfter } from "../undo.ts";
import { builtIn } from "./built-in-ports.ts";
import type { Detachable } from "./detach.ts";
import type { DetachedContainer } from "./detached-note.ts";
import { endAtExit, leaveAtExit } from "./end-at-exit.ts";
import type { SandboxEvents } from "./events.ts";
import type { CopyOptions } from "./fork-options.ts";
import { type FindOptions, type FindPorts, type FoundSandbox, findSandboxes, findShape } from "./found-sandbox.ts";
import { IdleWatch } from "./idle-watch.ts";
import { endedByLimit, withinLimit } from "./limit.ts";
import { emitOomOnceHeard } from "./oom-events.ts";
import { checkOptions } from "./process-shape.ts";
import type { RunningContainer } from "./running-container.ts";
import { SandboxContainers } from "./sandbox-containers.ts";
import { openNetwork, type SandboxNetwork } from "./sandbox-network.ts";
import { type KeptOptions, keptOptions, type SandboxOptions } from "./sandbox-options.ts";
import { copiedParts, createdParts, type SandboxParts } from "./sandbox-parts.ts";
import { sandboxShape } from "./sandbox-shape.ts";
import { SavableSandbox } from "./savable-sandbox.ts";
import { type RestoreOptions, type Snapshot, type SnapshotOptions, saveSandbox } from "./snapshot.ts";
import { restoreShape } from "./snapshot-shape.ts";
import { detachedStill, type TakenSandbox, takeSandbox } from "./take-sandbox.ts";
import { traced } from "./tracing.ts";

/**
 * A VM for containers, owned by this process: it ends with the scope it was made in, and with the process, unless it is detached.
 *
 * @example
 * await using sandbox = await Sandbox.create();
 * await using container = await sandbox.createContainer({ rootfs: "/srv/alpine", args: ["uname", "-r"] });
 * const { process: guest } = await container.start();
 * for await (const line of guest) console.log(line);
 */
export class Sandbox extends SavableSandbox<Sandbox> {
  readonly id: ContainerId;
  /** `exit`, `oom`, `egress` and `end`: what happens unasked. */
  readonly events: EventEmitter<SandboxEvents>;
  readonly #live: LiveSandbox;
  readonly #network: SandboxNetwork;
  readonly #operations: Ports;
  readonly #options: KeptOptions;
  readonly #containers: SandboxContainers;
  readonly #over: AbortController = new AbortController();
  readonly #idle: IdleWatch;
  readonly #restored: RunningContainer[] = [];
  protected override readonly isMapped: boolean;
  readonly #isDetachable: boolean;
  #ending: Promise<void> | undefined;
  #isDetached = false;

  private constructor(parts: SandboxParts) {
    const { live, ports, network, events, options, isDetachable = false, isMapped = false } = parts;
    super(live, ports.network, network);
    this.isMapped = isMapped;
    this.#operations = ports;
    this.#isDetachable = isDetachable;
    this.id = live.id;
    this.events = events;
    this.#options = options;
    this.#idle = new IdleWatch(live.id, options.idleWarningMs);
    this.#live = live;
    this.#network = network;
    this.#containers = new SandboxContainers({ live, network, events, idle: this.#idle });
    live.vm.unref(); // From now on it is #idle that keeps the program running, or not.
    void live.vm.ended.then((exit) => {
      if (this.#isDetached) return;
      this.#over.abort();
      this.#idle.stop();
      leaveAtExit(this);
      network[Symbol.asyncDispose]().catch((error: unknown) => {
        process.emitWarning(`the network of sandbox ${live.id} was not taken back: ${reasonOf(error)}`);
      });
      this.events.emit("end", exit);
    });
    emitOomOnceHeard(events, live.agent, { isKnown: (name) => this.#containers.has(name), signal: this.#over.signal });
  }

  /**
   * @param options without a kernel and an image, `@kata-ts/guest` has to be installed, which has both
   * @param ports the ports to work through; QEMU in this process by default
   * @throws KataError KATA_CONFIG for options that are none, KATA_GUEST where there is nothing to boot, and the reason of a
   * signal that is aborted
   */
  static async create(options: SandboxOptions = {}, ports?: Ports): Promise<Sandbox> {
    checkOptions(sandboxShape, options, "Sandbox.create");
    const id = parseContainerId(options.id ?? randomUuid());
    const create = (signal: AbortSignal): Promise<Sandbox> =>
      traced({ name: "sandbox.create", sandboxId: id }, async () =>
        Sandbox.#create(id, { ...options, signal }, ports ?? (await builtIn({ ...options, signal }))),
      );
    return await endedByLimit(`the creation of sandbox ${id}`, options, create);
  }

  static async #create(id: ContainerId, options: SandboxOptions, ports: Ports): Promise<Sandbox> {
    return new Sandbox(await createdParts(id, options, ports));
  }

  /**
   * Goes on with a sandbox that was saved, as often as it is called: its containers run, `restored` has them. The snapshot's files stay
   * as they are; what the containers write goes to copies of their disks, on the same file system, which go with the sandbox.
   *
   * @param ports as for `create`
   * @throws KataError KATA_SNAPSHOT where the snapshot is damaged, or of another machine: nothing of it has run then
   */
  static async restore(snapshot: Snapshot | string, options: RestoreOptions, ports?: Ports): Promise<Sandbox> {
    checkOptions(restoreShape, options, "Sandbox.restore");
    const directory = typeof snapshot === "string" ? snapshot : snapshot.directory;
    const id = parseContainerId(options.id ?? randomUuid());
    const restore = (signal: AbortSignal): Promise<Sandbox> =>
      traced({ name: "sandbox.restore", sandboxId: id }, async () =>
        Sandbox.#restore(directory, { ...options, id, signal }, ports ?? (await builtIn({ ...options, signal }))),
      );
    return await endedByLimit(`the restoration of sandbox ${id}`, options, restore);
  }

  static async #restore(directory: string, options: CopyOptions, ports: Ports): Promise<Sandbox> {
    using snapshot = await openSnapshot(directory, ports, options.signal);
    return await Sandbox.#copy(snapshot, options, ports);
  }

  static async #copy(snapshot: OpenSnapshot, options: CopyOptions, ports: Ports): Promise<Sandbox> {
    const { signal } = options;
    await using undo = new UndoStack();
    const parts = await copiedParts(snapshot, options, ports);
    undo.push(() => parts.network[Symbol.asyncDispose]());
    const sandbox = new Sandbox(parts);
    undo.push(() => sandbox[Symbol.asyncDispose]());
    using _interruption = endOnAbort(signal, parts.live.vm);
    for (const saved of snapshot.manifest.containers) sandbox.#restored.push(await sandbox.#containers.adopt(saved));
    signal?.throwIfAborted();
    undo.keep();
    return sandbox;
  }

  /**
   * The sandboxes of all programs of this host, this one's among them: what is in use, and what a killed program has left, which can be
   * removed. A sandbox is used by its own program alone.
   *
   * @param ports as for `create`
   * @throws KataError KATA_CONFIG for options that are none, KATA_TIMEOUT; the reason of an aborted signal
   */
  static async list(options: FindOptions = {}, ports?: FindPorts): Promise<readonly FoundSandbox[]> {
    return await findSandboxes(options, ports);
  }

  /**
   * Takes over a sandbox that was detached: it is this program's from now on, as if it had created it, and may be detached again.
   * `restored` has its containers. Where that fails, it stays detached.
   *
   * @param options of `vm` only `vmRoot` matters, as for `list`; @param ports those of `create`, where it was given any
   * @throws KataError KATA_NOT_FOUND; KATA_STATE for one that another program has, which is alive: of all that open it at once one gets it;
   * KATA_VM_GONE for one that has ended, KATA_AGENT, KATA_TIMEOUT; the reason of an aborted signal
   */
  static async open(id: string, options: FindOptions = {}, ports?: Ports): Promise<Sandbox> {
    checkOptions(findShape, options, "Sandbox.open");
    const known = parseContainerId(id);
    const open = (signal: AbortSignal): Promise<Sandbox> =>
      traced({ name: "sandbox.open", sandboxId: known }, async () =>
        Sandbox.#open(await takeSandbox(known, { ...options, signal }, ports), signal),
      );
    return await endedByLimit(`the opening of sandbox ${known}`, options, open);
  }

  static async #open({ live, note, ports, giveBack }: TakenSandbox, signal: AbortSignal): Promise<Sandbox> {
    const events: EventEmitter<SandboxEvents> = new EventEmitter();
    const network = await openNetwork(live.id, {}, ports, { events });
    const options = keptOptions(note);
    const sandbox = new Sandbox({ live, ports, network, events, options, isDetachable: true });
    try {
      const work = (): Promise<RunningContainer[]> => sandbox.#containers.open(note.containers);
      sandbox.#restored.push(...(await withinLimit(`the opening of sandbox ${live.id}`, { signal }, work)));
    } catch (error) {
      sandbox.detachable.leave();
      await undoAfter(error, async () => {
        let got: readonly DetachedContainer[] = [];
        try {
          got = await sandbox.#containers.letAllGo();
        } finally {
          await giveBack(got);
        }
      });
      throw detachedStill(error);
    }
    return sandbox;
  }

  protected override get detachable(): Detachable {
    return {
      ...{ live: this.#live, network: this.#network, idle: this.#idle, containers: this.#containers },
      ...{ options: this.#options, ports: this.#operations, isDetachable: this.#isDetachable },
      leave: () => {
        this.#isDetached = true;
        this.#ending = Promise.resolve();
        this.#over.abort();
        this.#idle.stop();
        leaveAtExit(this);
      },
    };
  }

  /** The containers that it was restored, or opened, with. */
  get restored(): readonly RunningContainer[] {
    return this.#restored;
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

  /** Whether the VM is there. */
  get isRunning(): boolean {
    return this.#live.vm.isRunning();
  }

  protected override get all(): SandboxContainers {
    return this.#containers;
  }

  protected override get kept(): { readonly options: KeptOptions; readonly ports: Ports } {
    return { options: this.#options, ports: this.#operations };
  }

  protected override async save(directory: string, options: SnapshotOptions): Promise<Snapshot> {
    const how = { ports: this.#operations, options };
    return this.#containers.whileSaved(options.signal, (containers) =>
      saveSandbox(directory, this.#live, { containers, link: this.#network.link }, how),
    );
  }

  protected override copy(snapshot: OpenSnapshot, options: CopyOptions): Promise<Sandbox> {
    return Sandbox.#copy(snapshot, options, this.#operations);
  }

  protected override during<R>(work: () => Promise<R>, what?: string): Promise<R> {
    return this.#idle.during(work, what);
  }

  /** Ends the VM and everything in it, as leaving its scope does; once it is gone, or was detached, again is fine. */
  async close(): Promise<void> {
    await this[Symbol.asyncDispose]();
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
    const done = this.#idle.begin("its end");
    try {
      await traced({ name: "sandbox.end", sandboxId: this.id }, async () => {
        await this.#live[Symbol.asyncDispose]();
        await this.#network[Symbol.asyncDispose]();
      });
    } finally {
      done();
    }
    this.#idle.stop();
  }
}
