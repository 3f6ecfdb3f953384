import type { ChildProcess } from "node:child_process";
import { deadChild, type ExitStatus, reapChild } from "@kata-ts/linux";

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

  /**
   * Collects those that are dead now; one SIGCHLD can stand for many deaths. Behind one that is Node's others wait until
   * Node has collected it, which is told by its exit.
   */
  collect(): void {
    for (let pid = deadChild(); pid !== undefined && !this.#nodes.has(pid); pid = deadChild()) {
      if (!this.#reap(pid)) return;
    }
  }

  #reap(pid: number): boolean {
    const exit = reapChild(pid);
    if (exit === undefined) return false;
    const status = statusNumber(exit);
    const resolve = this.#waiting.get(pid);
    this.#waiting.delete(pid);
    if (resolve === undefined) this.#keep(pid, status);
    else resolve(status);
    return true;
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
