import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { identifyProcess, isAlive, type ProcessIdentity, readProcessStat, signalProcess } from "@kata-ts/linux";
import type { CommandResult } from "../command.ts";
import type { Containerd } from "../engines/containerd.ts";
import { ShimProcess } from "../engines/shim-process.ts";

const IMAGE = "e2e.test/busybox:latest";
const RECORDS = "/run/kata-ts/containerd/k8s.io";
/** How long a step may take to be reached, and a process to end or stop. */
const DEADLINE_MS = 60_000;

/** A container by our shim whose steps are followed in containerd's log, which has the shim's. */
export class ShimTask {
  readonly id: string;
  readonly containerd: Containerd;
  readonly #configuration: string;
  readonly #firstLine: number;

  /** @param configuration a configuration.toml with `enable_debug` */
  constructor(id: string, containerd: Containerd, configuration: string) {
    this.id = id;
    this.containerd = containerd;
    this.#configuration = configuration;
    this.#firstLine = containerd.log.length;
  }

  run(...command: readonly string[]): Promise<CommandResult> {
    const options = ["--runtime", "io.containerd.kata.v2", "--runtime-config-path", this.#configuration];
    return this.containerd.ctr(["run", "--detach", ...options, IMAGE, this.id, ...command]);
  }

  exec(execId: string, ...command: readonly string[]): Promise<CommandResult> {
    return this.containerd.ctr(["task", "exec", "--exec-id", execId, this.id, ...command]);
  }

  /** `ctr task VERB` for this one. */
  task(verb: string, ...options: readonly string[]): Promise<CommandResult> {
    return this.containerd.ctr(["task", verb, ...options, this.id]);
  }

  /** What `ctr task ls` says of it; undefined where it is not listed. @throws Error when that fails */
  async status(): Promise<string | undefined> {
    const listed = await this.containerd.ok("task", "ls");
    return new RegExp(`^${this.id} +\\d+ +(\\w+)`, "m").exec(listed)?.[1];
  }

  async until(status: string): Promise<void> {
    while ((await this.status()) !== status);
  }

  /** What the shim has logged: steps of the runtime, and begins and ends of containerd's calls, in their order. */
  get steps(): string[] {
    const of = new RegExp(`level=debug msg="[^"]*: ([^":]+)[^"]*" id=${this.id} `);
    return this.containerd.log.slice(this.#firstLine).flatMap((line) => of.exec(line)?.[1] ?? []);
  }

  /** Waits until a step has been logged as often as that. @throws Error when it is not in time */
  async reach(step: string, times = 1): Promise<void> {
    const giveUp = AbortSignal.timeout(DEADLINE_MS);
    while (this.#count(step) < times) {
      await this.containerd.logGrows(giveUp).catch(() => {
        throw new Error(`${this.id} did not come to "${step}": ${this.steps.join(", ")}`);
      });
    }
  }

  /** @throws Error when it has come to a step as often as that */
  expectNotBeyond(step: string, times = 1): void {
    if (this.#count(step) >= times) throw new Error(`${this.id} went on to "${step}": ${this.steps.join(", ")}`);
  }

  #count(step: string): number {
    return this.steps.filter((each) => each === step).length;
  }

  get shim(): ProcessIdentity {
    return identifyProcess(new ShimProcess(this.containerd, this.id).pid);
  }

  /** Its VM. */
  get qemu(): ProcessIdentity {
    const record = JSON.parse(readFileSync(join(RECORDS, this.id, "kata.json"), "utf8")) as {
      readonly vm: { readonly vmm: ProcessIdentity };
    };
    return record.vm.vmm;
  }

  /** The VM gets no time: what asks its guest waits. */
  async freezeGuest(): Promise<void> {
    await stopProcess(this.qemu);
  }

  thawGuest(): void {
    signalProcess(this.qemu, "SIGCONT");
  }

  get record(): string {
    return join(RECORDS, this.id);
  }
}

/** Resolves when a process has been stopped by SIGSTOP. */
export async function stopProcess(process: ProcessIdentity): Promise<void> {
  signalProcess(process, "SIGSTOP");
  await waitFor(() => readProcessStat(process.pid)?.state === "T", `process ${String(process.pid)} does not stop`);
}

/** Resolves when a process has been ended by SIGKILL. */
export async function killProcess(process: ProcessIdentity): Promise<void> {
  signalProcess(process, "SIGKILL");
  await goneProcess(process);
}

export async function goneProcess(process: ProcessIdentity): Promise<void> {
  await waitFor(() => !isAlive(process), `process ${String(process.pid)} does not end`);
}

async function waitFor(condition: () => boolean, complaint: string): Promise<void> {
  const giveUpAt = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(complaint);
    await delay(1);
  }
}
