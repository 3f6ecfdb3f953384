import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import type { StandardDescriptors } from "@kata-ts/linux";
import { object, parseShape, text } from "@kata-ts/linux/shape";
import type { Commands } from "../commands.ts";
import { internal } from "../errors.ts";
import { textOf } from "../files.ts";
import { Semaphore } from "./semaphore.ts";
import type { ProcessEnds } from "./stdio.ts";

/** Where the runtime keeps its own state. */
const STATE_ROOT = "/run/kata-containers/runtime";

/**
 * How many containers and processes are started at once: each needs a processor, and while many compete for
 * it the agent, which waits until each runs, answers no call.
 */
const atOnce = (): number => availableParallelism() + 1;
/** A start that waits for something else, such as a file system that hangs, does not delay others. */
const PATIENCE_MS = 5_000;

/**
 * crun or runc, which makes containers inside the guest. Its own messages go to a log file: descriptor 2 belongs
 * to the container.
 */
export class OciRuntime {
  readonly #commands: Commands;
  readonly #program: string;
  readonly #starts: Semaphore = new Semaphore(atOnce, PATIENCE_MS);
  #calls = 0;

  /** @param program of crun or runc: its path, or its name where PATH has it */
  constructor(commands: Commands, program: string) {
    this.#commands = commands;
    this.#program = program;
  }

  /**
   * Runs what starts a process once there is a place for it. What a start needs is to be made in it: the files, pipes and control
   * groups of a hundred that wait would be made at once, and the agent answer no call meanwhile.
   */
  starting<T>(start: () => Promise<T>): Promise<T> {
    return this.#starts.run(start);
  }

  async create(id: string, bundle: string, pidFile: string, ends: ProcessEnds): Promise<number> {
    await this.#launch(bundle, ["create", "--bundle", bundle, "--pid-file", pidFile], id, ends);
    return readPid(pidFile);
  }

  async start(id: string, bundle: string): Promise<void> {
    await this.#call(bundle, ["start", id]);
  }

  async exec(
    id: string,
    bundle: string,
    { file, pidFile, options }: { file: string; pidFile: string; options: readonly string[] },
    ends: ProcessEnds,
  ): Promise<number> {
    await this.#launch(bundle, ["exec", "--process", file, "--detach", "--pid-file", pidFile, ...options], id, ends);
    return readPid(pidFile);
  }

  async delete(id: string, bundle: string): Promise<void> {
    await this.#call(bundle, ["delete", "--force", id]);
  }

  /** Of a container without processes and without a cgroup it has nothing but a directory. */
  forget(id: string): void {
    rmSync(`${STATE_ROOT}/${id}`, { recursive: true, force: true });
  }

  async pause(id: string, bundle: string): Promise<void> {
    await this.#call(bundle, ["pause", id]);
  }

  async resume(id: string, bundle: string): Promise<void> {
    await this.#call(bundle, ["resume", id]);
  }

  /** @param resourcesFile OCI LinuxResources as JSON */
  async update(id: string, bundle: string, resourcesFile: string): Promise<void> {
    await this.#call(bundle, ["update", "--resources", resourcesFile, id]);
  }

  async #launch(bundle: string, args: readonly string[], id: string, ends: ProcessEnds): Promise<void> {
    const console = ends.consoleSocket === undefined ? [] : ["--console-socket", ends.consoleSocket];
    await this.#call(bundle, [...args, ...console, id], ends.fds);
  }

  async #call(bundle: string, args: readonly string[], fds?: StandardDescriptors): Promise<void> {
    const log = `${bundle}/runtime-${String(this.#calls++)}.log`; // each its own: many may run at once
    try {
      const status = await this.#run(log, args, fds);
      if (status !== 0) throw internal(this.#reason(args[0] ?? "", log, status));
    } finally {
      rmSync(log, { force: true });
    }
  }

  /** What it says beside its log, where no container's descriptors are given, goes into that, too. */
  async #run(log: string, args: readonly string[], fds: StandardDescriptors | undefined): Promise<number> {
    const [nothing, spoken] = [openSync("/dev/null", "r+"), openSync(log, "a")];
    try {
      const global = ["--root", STATE_ROOT, "--log", log, "--log-format", "json"];
      return await this.#commands.runWith(fds ?? [nothing, nothing, spoken], this.#program, [...global, ...args]);
    } finally {
      for (const fd of [nothing, spoken]) closeSync(fd);
    }
  }

  #reason(verb: string, log: string, status: number): string {
    const lines = textOf(log).split("\n").filter(Boolean);
    const reason = lines.map(messageOf).findLast(Boolean) ?? lines.at(-1) ?? `exit status ${String(status)}`;
    return `${basename(this.#program)} ${verb}: ${inGoWords(reason)}`;
  }
}

/**
 * Engines recognise "no such program" by the words of Go's library, which runc uses; crun has those of C's.
 */
export function inGoWords(reason: string): string {
  return reason
    .replace(/executable file [`']([^`']*)[`'] not found in \$PATH/, 'exec: "$1": executable file not found in $PATH')
    .replace(/(No such file or directory|Permission denied|Not a directory|Is a directory)$/, (text) =>
      text.toLowerCase(),
    );
}

const logEntry = object<{ readonly msg: string }>({ msg: text });

function messageOf(line: string): string {
  try {
    return parseShape(logEntry, line, "a line of the log").msg;
  } catch {
    return "";
  }
}

function readPid(file: string): number {
  return Number.parseInt(readFileSync(file, "latin1"), 10);
}
