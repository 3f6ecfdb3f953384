import { type DeadChild, reapChild } from "@kata-ts/linux";

/** How a child has ended. */
export interface ProcessEnd {
  /** Exit status, or 128 + signal. */
  readonly status: number;
  /** A signal ended it: it did not exit with such a status. */
  readonly isSignalled: boolean;
}

/** So many statuses of orphans are kept until they are asked for. */
const MAX_UNCLAIMED = 1024;

/**
 * The one place where dead children are collected: programs that the agent started, container processes that were handed
 * to us by crun or runc, and orphans. Node must have no children of its own here.
 */
export class Reaper {
  readonly #waiting: Map<number, (end: ProcessEnd) => void> = new Map();
  readonly #unclaimed: Map<number, ProcessEnd> = new Map();

  /** From now on every child that dies is collected. */
  start(): void {
    process.on("SIGCHLD", () => {
      this.collect();
    });
  }

  /**
   * Resolves with the end of a child; also of one already dead. It collects nothing by itself: an end
   * found here lets the next start begin at once, and from start to start the agent would answer no call.
   */
  end(pid: number): Promise<ProcessEnd> {
    const early = this.#unclaimed.get(pid);
    if (early !== undefined) {
      this.#unclaimed.delete(pid);
      return Promise.resolve(early);
    }
    return new Promise((resolve) => {
      this.#waiting.set(pid, resolve);
    });
  }

  /** As end(): the exit status, or 128 + signal. */
  async wait(pid: number): Promise<number> {
    return (await this.end(pid)).status;
  }

  /** Collects those that are dead now; one SIGCHLD can stand for many deaths. */
  collect(): void {
    for (let dead = reapChild(); dead !== undefined; dead = reapChild()) this.#tell(dead);
  }

  #tell({ pid, exitCode, signal }: DeadChild): void {
    const end = { status: exitCode ?? 128 + (signal ?? 0), isSignalled: exitCode === undefined };
    const resolve = this.#waiting.get(pid);
    this.#waiting.delete(pid);
    if (resolve === undefined) this.#keep(pid, end);
    else resolve(end);
  }

  #keep(pid: number, end: ProcessEnd): void {
    this.#unclaimed.set(pid, end);
    const [oldest] = this.#unclaimed.keys();
    if (this.#unclaimed.size > MAX_UNCLAIMED && oldest !== undefined) this.#unclaimed.delete(oldest);
  }
}
