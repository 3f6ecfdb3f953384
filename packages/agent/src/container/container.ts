import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { type RuntimeSpec, type SpecProcess, type SpecResources, stringifyJson } from "@kata-ts/agent-protocol";
import { alreadyExists, cancelled, failedPrecondition, processNotFound } from "../errors.ts";
import { boundGroupsOf, endProcesses, killProcesses, oomKillsIn, processesIn, removeCgroup } from "../guest/cgroup.ts";
import type { Reaper } from "../reaper.ts";
import { ContainerProcess } from "./container-process.ts";
import { Freezer } from "./freezer.ts";
import type { OciRuntime } from "./oci-runtime.ts";
import { checkedSubgroup, ProcessCgroups } from "./process-cgroups.ts";
import { runStartHooks } from "./start-hooks.ts";
import { type ProcessEnds, pipeEnds } from "./stdio.ts";
import type { StreamTokens } from "./stream-tokens.ts";
import { terminalEnds } from "./terminal.ts";

const SIGKILL = 9;
const BUNDLES = "/run/kata-containers/bundles";

export interface ContainerDependencies {
  readonly runtime: OciRuntime;
  readonly reaper: Reaper;
  readonly streamTokens: StreamTokens;
}

export interface OutputWishes {
  /** Their reader has one file for both. */
  readonly oneOutput?: boolean;
}

export interface ExecWishes extends OutputWishes {
  /** Below the container's own. */
  readonly cgroup?: string;
  /** In a control group of its own, unless `cgroup` names one. */
  readonly ownCgroup?: boolean;
}

interface Launch extends OutputWishes {
  readonly execId: string;
  readonly terminal: boolean;
  readonly ownCgroup: string | undefined;
}

/** One container of the sandbox, with its processes. */
export class Container {
  /** What it was made with, and its bundle, its control group and the runtime's state are called: no other container has it. */
  readonly name: string;
  readonly #runtime: OciRuntime;
  readonly #reaper: Reaper;
  readonly #streamTokens: StreamTokens;
  readonly #processes: Map<string, ContainerProcess> = new Map();
  /** Exec ids of processes that are being started. */
  readonly #starting: Set<string> = new Set();
  readonly #cgroups: ProcessCgroups;
  readonly #freezer: Freezer;
  #id: string;
  #startHooks: () => Promise<void> = () => Promise.resolve();
  #initExecId = "";
  #serial = 0;

  /** @param name its id, where no other container of this guest has been made with that */
  constructor(id: string, name: string, { runtime, reaper, streamTokens }: ContainerDependencies) {
    this.#id = id;
    this.name = name;
    this.#cgroups = new ProcessCgroups(this.cgroup);
    this.#runtime = runtime;
    this.#freezer = new Freezer({
      freeze: () => runtime.pause(this.name, this.bundle),
      thaw: () => runtime.resume(this.name, this.bundle),
    });
    this.#reaper = reaper;
    this.#streamTokens = streamTokens;
  }

  /** What the host calls it. */
  get id(): string {
    return this.#id;
  }

  get bundle(): string {
    return `${BUNDLES}/${this.name}`;
  }

  get cgroup(): string {
    return `/sys/fs/cgroup/kata/${this.name}`;
  }

  /**
   * Creates the container with its first process waiting to be started.
   *
   * @param spec for the runtime
   * @param hooked with the host's hooks and annotations
   */
  async create(
    execId: string,
    spec: RuntimeSpec,
    hooked: RuntimeSpec,
    outputs: OutputWishes = {},
  ): Promise<ContainerProcess> {
    this.#startHooks = () =>
      runStartHooks(this.id, hooked, async (process) => {
        const hookId = `hook-${String(this.#serial)}`;
        const hook = await this.exec(hookId, process);
        void hook.exited.then(() => {
          this.#processes.delete(hookId);
        });
        return hook;
      });
    mkdirSync(this.bundle, { recursive: true });
    writeFileSync(`${this.bundle}/config.json`, stringifyJson(spec));
    this.#initExecId = execId;
    // When the first process ends, all others do.
    const launch = { execId, terminal: spec.process?.terminal === true, ownCgroup: this.cgroup, ...outputs };
    return this.#runtime.starting(() =>
      this.#launch(launch, async (ends) => {
        const pid = await this.#runtime.create(this.name, this.bundle, `${this.bundle}/init.pid`, ends);
        boundGroupsOf(this.cgroup); // Its first process waits to be started.
        return pid;
      }),
    );
  }

  /** Lets the first process go on. A startContainer hook that fails ends it instead. */
  async start(): Promise<void> {
    try {
      await this.#startHooks();
    } catch (error) {
      this.init.signal(SIGKILL);
      throw error;
    }
    await this.#runtime.start(this.name, this.bundle);
  }

  exec(execId: string, process: SpecProcess, wishes: ExecWishes = {}): Promise<ContainerProcess> {
    return this.#runtime.starting(() => this.#exec(execId, process, wishes));
  }

  async #exec(execId: string, process: SpecProcess, wishes: ExecWishes): Promise<ContainerProcess> {
    if (!this.init.running) throw failedPrecondition(`Cannot exec in stopped container ${this.id}`);
    if (this.#processes.has(execId) || this.#starting.has(execId))
      throw alreadyExists(`Process ${execId} exists (container ${this.id})`);
    this.#starting.add(execId);
    try {
      return await this.#start(execId, process, wishes);
    } finally {
      this.#starting.delete(execId);
    }
  }

  async #start(execId: string, process: SpecProcess, wishes: ExecWishes): Promise<ContainerProcess> {
    const file = `${this.bundle}/exec-${String(this.#serial++)}`;
    const { cgroup, ownCgroup = false, ...outputs } = wishes;
    const given = cgroup === undefined ? undefined : checkedSubgroup(this.cgroup, cgroup);
    const own = ownCgroup && given === undefined ? this.#cgroups.make() : undefined;
    try {
      writeFileSync(`${file}.json`, stringifyJson(process));
      const name = given ?? own?.name;
      const options = name === undefined ? [] : ["--cgroup", name];
      const launch = { execId, terminal: process.terminal === true, ownCgroup: own?.path, ...outputs };
      return await this.#launch(launch, (ends) =>
        this.#runtime.exec(this.name, this.bundle, { file: `${file}.json`, pidFile: `${file}.pid`, options }, ends),
      );
    } catch (error) {
      if (own !== undefined) this.#cgroups.release(own.path);
      throw error;
    } finally {
      for (const kind of ["json", "pid"]) rmSync(`${file}.${kind}`, { force: true });
    }
  }

  get init(): ContainerProcess {
    return this.process(this.#initExecId);
  }

  process(execId: string): ContainerProcess {
    const found = this.#processes.get(execId);
    if (found === undefined) throw processNotFound(execId, this.id);
    return found;
  }

  /** Gives the container another id, and its first process, too. What it is made of keeps its name. */
  rename(id: string): void {
    const { init } = this;
    this.#processes.delete(this.#initExecId);
    this.#processes.set(id, init);
    this.#initExecId = id;
    this.#id = id;
    init.rename(id);
  }

  /** The status of a process; after that the process is forgotten, unless it is the container's first. */
  async wait(execId: string, signal: AbortSignal): Promise<number> {
    const process = this.process(execId);
    const status = await orAborted(process.exited, signal);
    this.forget(process);
    return status;
  }

  /** A process whose status is known; the container's first one stays. */
  forget(process: ContainerProcess): void {
    if (process.execId === this.#initExecId || this.#processes.get(process.execId) !== process) return;
    this.#processes.delete(process.execId);
    process.stdio.destroy();
    this.#streamTokens.revoke(process);
    if (process.ownCgroup !== undefined) this.#cgroups.release(process.ownCgroup);
  }

  /** Sends a signal to one process, or with an empty exec id to every process of the container. */
  async signal(execId: string, signal: number): Promise<void> {
    if (execId !== "") {
      this.process(execId).signal(signal);
      return;
    }
    // The kernel's own walk misses none, also of those that are begun meanwhile.
    if (signal === SIGKILL) killProcesses(this.cgroup);
    for (const pid of this.pids()) signalPid(pid, signal);
    await this.#freezer.thaw();
  }

  /** Pids of all processes of the container, in the guest's numbering. */
  pids(): number[] {
    return processesIn(this.cgroup);
  }

  pause(): Promise<void> {
    return this.#freezer.freeze();
  }

  /** Lets its processes go on, if they stand still. */
  resume(): Promise<void> {
    return this.#freezer.thaw();
  }

  async update(resources: SpecResources): Promise<void> {
    const file = `${this.bundle}/resources.json`;
    writeFileSync(file, stringifyJson(resources));
    await this.#runtime.update(this.name, this.bundle, file);
  }

  /** Ends whatever still runs and forgets the container. */
  async remove(): Promise<void> {
    await this.#runtime.delete(this.name, this.bundle);
    this.#forgetAll();
  }

  /** Ends whatever still runs, by the kernel's own means: the runtime would have to be started for it. */
  end(): Promise<void> {
    return endProcesses(this.cgroup);
  }

  /** Forgets a container that has come to its end(). */
  discard(): void {
    removeCgroup(this.cgroup);
    this.#runtime.forget(this.name);
    this.#forgetAll();
  }

  #forgetAll(): void {
    for (const process of this.#processes.values()) {
      process.stdio.destroy();
      this.#streamTokens.revoke(process);
    }
    this.#processes.clear();
    rmSync(this.bundle, { recursive: true, force: true });
  }

  async #launch(
    { execId, terminal, ownCgroup, oneOutput }: Launch,
    start: (ends: ProcessEnds) => Promise<number>,
  ): Promise<ContainerProcess> {
    const ends = terminal ? await terminalEnds() : pipeEnds(oneOutput);
    const place = { containerCgroup: this.cgroup, ownCgroup, oomKills: oomKillsIn(this.cgroup) ?? 0 };
    try {
      const names = { execId, pid: await start(ends) };
      const process = new ContainerProcess(names, place, await ends.take(), this.#reaper);
      this.#processes.set(execId, process);
      return process;
    } finally {
      ends.dispose();
    }
  }
}

function signalPid(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(cancelled());
    };
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", onAbort);
    });
  });
}
