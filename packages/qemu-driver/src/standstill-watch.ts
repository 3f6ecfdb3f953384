import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ExitCounter } from "./exit-counter.ts";

/** Linux counts processor time in hundredths of a second for every program, whatever its own tick is. */
const TICK_MS = 10;

/** A guest that unpacks its kernel touches memory all the time; QEMU itself, now and then, some pages. */
const PAGES_OF_PROGRESS = 64;

interface Sample {
  readonly at: number;
  readonly signs: number;
  readonly processorMs: number;
  readonly isWaitingForProcessor: boolean;
}

/**
 * Distinguishes a guest that hangs from a slow one. Both are quiet for a while; a guest that hangs uses up processor time, or
 * sleeps, meanwhile. Time in which QEMU wants to run and does not get a processor counts for nothing.
 */
export class StandstillWatch {
  readonly #pid: number;
  readonly #exits: Pick<ExitCounter, "count" | "refresh">;
  readonly #limitMs: number;
  #outputBytes = 0;
  #peakPages = 0;
  #last: Sample;
  #quietProcessorMs = 0;
  #quietSleepMs = 0;

  constructor(pid: number, exits: Pick<ExitCounter, "count" | "refresh">, limitMs: number) {
    this.#pid = pid;
    this.#exits = exits;
    this.#limitMs = limitMs;
    this.#last = this.#look();
  }

  onOutput(bytes: number): void {
    this.#outputBytes += bytes;
  }

  /** Call it again and again. @returns how the guest stands still; undefined while it may come up yet */
  sample(): string | undefined {
    this.#exits.refresh();
    const before = this.#last;
    const now = this.#look();
    this.#last = now;
    if (now.signs !== before.signs) {
      this.#quietProcessorMs = 0;
      this.#quietSleepMs = 0;
      return undefined;
    }
    const used = now.processorMs - before.processorMs;
    this.#quietProcessorMs += used;
    if (used === 0 && !now.isWaitingForProcessor) this.#quietSleepMs += now.at - before.at;
    const seconds = String(this.#limitMs / 1000);
    if (this.#quietProcessorMs >= this.#limitMs) return `hung: it ran for ${seconds} s without a sign of progress`;
    if (this.#quietSleepMs >= this.#limitMs) return `hung: it slept for ${seconds} s without a sign of progress`;
    return undefined;
  }

  #look(): Sample {
    this.#peakPages = Math.max(this.#peakPages, residentPages(this.#pid));
    return {
      at: performance.now(),
      signs: this.#outputBytes + this.#exits.count + Math.floor(this.#peakPages / PAGES_OF_PROGRESS),
      processorMs: (statOf(`/proc/${String(this.#pid)}`)?.ticks ?? 0) * TICK_MS,
      isWaitingForProcessor: threadsOf(this.#pid).some(({ state }) => state !== "S"),
    };
  }
}

interface Stat {
  readonly state: string;
  /** Of a process: of all its threads, those that have ended, too. */
  readonly ticks: number;
}

function threadsOf(pid: number): Stat[] {
  const tasks = `/proc/${String(pid)}/task`;
  try {
    return readdirSync(tasks).flatMap((task) => statOf(join(tasks, task)) ?? []);
  } catch {
    return []; // It has ended.
  }
}

/** Its name, in parentheses, may hold anything. State is the field behind it; user and system time come 11 and 12 later. */
function statOf(directory: string): Stat | undefined {
  try {
    const text = readFileSync(join(directory, "stat"), "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}

function residentPages(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${String(pid)}/statm`, "latin1").split(" ")[1]);
  } catch {
    return 0;
  }
}
