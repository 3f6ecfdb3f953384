import { type FSWatcher, watch } from "node:fs";
import { oomKillsIn } from "./cgroup.ts";

/** Events that the host has not asked for yet. */
const MAX_KEPT = 64;

/** Tells which containers ran out of memory: whose processes the kernel killed for it. */
export class OomEvents {
  readonly #watchers: Map<string, FSWatcher> = new Map();
  readonly #waiting: Set<(containerId: string) => void> = new Set();
  readonly #kept: string[] = [];

  /** @param cgroup the container's directory below /sys/fs/cgroup */
  watch(containerId: string, cgroup: string): void {
    const file = `${cgroup}/memory.events`;
    let known = oomKillsIn(cgroup);
    if (known === undefined) return;
    const watcher = watch(file, () => {
      const kills = oomKillsIn(cgroup) ?? 0;
      if (kills > (known ?? 0)) this.#tell(containerId);
      known = kills;
    });
    watcher.on("error", () => {
      watcher.close();
    });
    this.#watchers.set(containerId, watcher);
  }

  forget(containerId: string): void {
    this.#watchers.get(containerId)?.close();
    this.#watchers.delete(containerId);
  }

  /** The id of the next container that runs out of memory, for every caller that waits. Undefined when aborted. */
  next(signal: AbortSignal): Promise<string | undefined> {
    const kept = this.#kept.shift();
    if (kept !== undefined) return Promise.resolve(kept);
    return new Promise((resolve) => {
      const settle = (containerId: string | undefined): void => {
        this.#waiting.delete(settle);
        signal.removeEventListener("abort", onAbort);
        resolve(containerId);
      };
      const onAbort = (): void => {
        settle(undefined);
      };
      this.#waiting.add(settle);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  #tell(containerId: string): void {
    if (this.#waiting.size === 0) this.#kept.push(containerId);
    if (this.#kept.length > MAX_KEPT) this.#kept.shift();
    for (const settle of [...this.#waiting]) settle(containerId);
  }
}
