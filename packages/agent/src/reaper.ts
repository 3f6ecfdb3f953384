import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { type ExitStatus, readProcessStat, reapChild } from "@kata-ts/linux";

/** Statuses of orphans that nobody asked for yet are kept for this many processes. */
const MAX_UNCLAIMED = 1024;

/**
 * The one place where dead children are collected. Three kinds die here: children that Node started (libuv collects
 * those itself, and only those), container processes that were handed to us by crun or runc, and orphans.
 */
export class Reaper {
  readonly #waiting: Map<number, (status: number) => void> = new Map();
  readonly #unclaimed: Map<number, number> = new Map();
  readonly #nodes: Set<number> = new Set();

  /** From now on every child that dies is collected. */
  start(): void {
    process.on("SIGCHLD", () => {
      this.collect();
    });
  }

  /** Leaves this child to Node, which started it. */
  leaveToNode(child: ChildProcess): void {
    const { pid } = child;
    if (pid === undefined) return;
    this.#nodes.add(pid);
    child.once("exit", () => {
      this.#nodes.delete(pid);
      this.collect();
    });
  }

  /** Resolves with the exit status, or 128 + signal, of a child that Node does not know; also of one already dead. */
  wait(pid: number): Promise<number> {
    const early = this.#unclaimed.get(pid);
    if (early !== undefined) {
      this.#unclaimed.delete(pid);
      return Promise.resolve(early);
    }
    return new Promise((resolve) => {
      this.#waiting.set(pid, resolve);
      this.collect();
    });
  }

  /** Collects all that are dead now. One SIGCHLD can stand for many deaths. */
  collect(): void {
    for (const pid of childrenOfThisProcess()) {
      if (!this.#nodes.has(pid) && readProcessStat(pid)?.state === "Z") this.#reap(pid);
    }
  }

  #reap(pid: number): void {
    const exit = reapChild(pid);
    if (exit === undefined) return;
    const status = statusNumber(exit);
    const resolve = this.#waiting.get(pid);
    this.#waiting.delete(pid);
    if (resolve === undefined) this.#keep(pid, status);
    else resolve(status);
  }

  #keep(pid: number, status: number): void {
    this.#unclaimed.set(pid, status);
    const [oldest] = this.#unclaimed.keys();
    if (this.#unclaimed.size > MAX_UNCLAIMED && oldest !== undefined) this.#unclaimed.delete(oldest);
  }
}

function statusNumber(exit: ExitStatus): number {
  return exit.exitCode ?? 128 + (exit.signal ?? 0);
}

function childrenOfThisProcess(): number[] {
  return readdirSync("/proc/self/task").flatMap((thread) => {
    try {
      const children = readFileSync(`/proc/self/task/${thread}/children`, "latin1");
      return children.split(" ").filter(Boolean).map(Number);
    } catch {
      return []; // The thread ended meanwhile.
    }
  });
}
