import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RuntimeSpec, type SpecProcess, type SpecResources, stringifyJson } from "@kata-ts/agent-protocol";
import { alreadyExists, cancelled, failedPrecondition, invalidArgument, processNotFound } from "../errors.ts";
import { textOf } from "../files.ts";
import { endProcesses, removeCgroup } from "../guest/cgroup.ts";
import type { Reaper } from "../reaper.ts";
import { ContainerProcess } from "./container-process.ts";
import type { OciRuntime } from "./oci-runtime.ts";
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

interface Outputs {
  /** Whoever reads them has one file for both. */
  readonly oneOutput?: boolean;
}

export interface ExecWishes extends Outputs {
  /** Below the container's own. */
  readonly cgroup?: string;
}

/** One container of the sandbox, with its processes. */
export class Container {
  readonly id: string;
  readonly #runtime: OciRuntime;
  readonly #reaper: Reaper;
  readonly #streamTokens: StreamTokens;
  readonly #processes: Map<string, ContainerProcess> = new Map();
  #startHooks: () => Promise<void> = () => Promise.resolve();
  #initExecId = "";
  #paused = false;
  #serial = 0;

  constructor(id: string, { runtime, reaper, streamTokens }: ContainerDependencies) {
    this.id = id;
    this.#runtime = runtime;
    this.#reaper = reaper;
    this.#streamTokens = streamTokens;
  }

  get bundle(): string {
    return `${BUNDLES}/${this.id}`;
  }

  get cgroup(): string {
    return `/sys/fs/cgroup/kata/${this.id}`;
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
    outputs: Outputs = {},
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
    return this.#launch(execId, { terminal: spec.process?.terminal === true, ...outputs }, (ends) =>
      this.#runtime.create(this.id, this.bundle, `${this.bundle}/init.pid`, ends),
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
    await this.#runtime.start(this.id, this.bundle);
  }

  async exec(execId: string, process: SpecProcess, { cgroup, ...outputs }: ExecWishes = {}): Promise<ContainerProcess> {
    if (!this.init.running) throw failedPrecondition(`Cannot exec in stopped container ${this.id}`);
    if (this.#processes.has(execId)) throw alreadyExists(`Process ${execId} exists (container ${this.id})`);
    const file = `${this.bundle}/exec-${String(this.#serial++)}`;
    writeFileSync(`${file}.json`, stringifyJson(process));
    try {
      const options = cgroup === undefined ? [] : ["--cgroup", checkedSubgroup(this.cgroup, cgroup)];
      return await this.#launch(execId, { terminal: process.terminal === true, ...outputs }, (ends) =>
        this.#runtime.exec(this.id, this.bundle, { file: `${file}.json`, pidFile: `${file}.pid`, options }, ends),
      );
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

  /** The status of a process; after that the process is forgotten, unless it is the container's first. */
  async wait(execId: string, signal: AbortSignal): Promise<number> {
    const process = this.process(execId);
    const status = await orAborted(process.exited, signal);
    this.forget(process);
    return status;
  }

  /** A process whose status is known; the container's first one stays. */
  forget(process: ContainerProcess): void {
    if (process.execId === this.#initExecId || !this.#processes.delete(process.execId)) return;
    process.stdio.destroy();
    this.#streamTokens.revoke(process);
  }

  /** Sends a signal to one process, or with an empty exec id to every process of the container. */
  async signal(execId: string, signal: number): Promise<void> {
    if (execId !== "") {
      this.process(execId).signal(signal);
      return;
    }
    for (const pid of this.pids()) signalPid(pid, signal);
    if (this.#paused) await this.resume();
  }

  /** Pids of all processes of the container, in the guest's numbering. */
  pids(): number[] {
    return textOf(`${this.cgroup}/cgroup.procs`).split("\n").filter(Boolean).map(Number);
  }

  async pause(): Promise<void> {
    await this.#runtime.pause(this.id, this.bundle);
    this.#paused = true;
  }

  async resume(): Promise<void> {
    await this.#runtime.resume(this.id, this.bundle);
    this.#paused = false;
  }

  async update(resources: SpecResources): Promise<void> {
    const file = `${this.bundle}/resources.json`;
    writeFileSync(file, stringifyJson(resources));
    await this.#runtime.update(this.id, this.bundle, file);
  }

  /** Ends whatever still runs and forgets the container. */
  async remove(): Promise<void> {
    await this.#runtime.delete(this.id, this.bundle);
    this.#forgetAll();
  }

  /** Ends whatever still runs, by the kernel's own means: the runtime would have to be started for it. */
  end(): Promise<void> {
    return endProcesses(this.cgroup);
  }

  /** Forgets a container that has come to its end(). */
  discard(): void {
    removeCgroup(this.cgroup);
    this.#runtime.forget(this.id);
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
    execId: string,
    { terminal, oneOutput }: Outputs & { readonly terminal: boolean },
    start: (ends: ProcessEnds) => Promise<number>,
  ): Promise<ContainerProcess> {
    const ends = terminal ? await terminalEnds() : pipeEnds(oneOutput);
    try {
      const pid = await start(ends);
      const process = new ContainerProcess({ containerId: this.id, execId, pid }, await ends.take(), this.#reaper);
      this.#processes.set(execId, process);
      return process;
    } finally {
      ends.dispose();
    }
  }
}

/** @returns it as the runtime takes it; @throws AgentRpcError where it is not there, or not below the container's */
function checkedSubgroup(own: string, wanted: string): string {
  const path = join(own, wanted);
  if (path !== own && !path.startsWith(`${own}/`)) throw invalidArgument(`${wanted} is not a sub cgroup path`);
  if (!existsSync(`${path}/cgroup.procs`)) throw invalidArgument(`the container has no cgroup ${wanted}`);
  return wanted.startsWith("/") ? wanted : `/${wanted}`;
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
