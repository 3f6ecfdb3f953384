import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Threads that may share a processor before a wait for one of them counts as a wait for the host. */
const THREADS_EACH = 2;

/**
 * How much of its due a VM gets from this host now: 1 where threads find processors, a tenth where ten times as many
 * want to run as there is room for. From proc(5), `/proc/loadavg`: what can run at this moment, no average.
 */
export function shareOfHost(): number {
  return shareOf(runnableThreads(), availableParallelism());
}

/** @param runnable threads, with the calling thread, which does not count */
export function shareOf(runnable: number, processors: number): number {
  return Math.min(1, (THREADS_EACH * processors) / Math.max(1, runnable - 1));
}

function runnableThreads(): number {
  try {
    return Number(/ (\d+)\/\d+ /.exec(readFileSync("/proc/loadavg", "utf8"))?.[1] ?? 1);
  } catch {
    return 1; // no host to ask, as in a sandbox without /proc: all silence is the agent's
  }
}
