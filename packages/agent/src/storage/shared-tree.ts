import { readFileSync, statSync } from "node:fs";
import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import { SHARED_TREE_PATH } from "@kata-ts/agent-protocol/guest-contract";
import { refreshAttributes, unmount } from "@kata-ts/linux";

/**
 * Which containers use what of the host's shared tree. Every mount of the host's is a mount here as well, which comes by
 * itself when it is first looked at; while it stays, the host's daemon keeps the files open. Containers share mounts.
 */
export class SharedTreeUse {
  readonly #used: Map<string, ReadonlySet<string>> = new Map();

  /** @param spec with the guest's paths */
  begin(containerId: string, spec: RuntimeSpec): void {
    const sources = [spec.root?.path, ...(spec.mounts ?? []).map(({ source }) => source)];
    const names = new Set(sources.flatMap(exportIn));
    this.#used.set(containerId, names);
    for (const name of names) mountHere(`${SHARED_TREE_PATH}/${name}`);
  }

  /**
   * Has the kernel look again at the files that are shared one by one, such as resolv.conf: engines change them between
   * create and start, and what was looked at a moment ago counts for a second. What cannot be looked at shows when it is
   * used.
   */
  async refreshFiles(containerId: string): Promise<void> {
    const files = [...(this.#used.get(containerId) ?? [])].map((name) => `${SHARED_TREE_PATH}/${name}`).filter(isFile);
    await Promise.allSettled(files.map(refreshAttributes));
  }

  /** Lets go of what no other container uses. Idempotent. */
  end(containerId: string): void {
    const released = this.#used.get(containerId);
    this.#used.delete(containerId);
    for (const name of released ?? []) {
      if (![...this.#used.values()].some((names) => names.has(name))) release(`${SHARED_TREE_PATH}/${name}`);
    }
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** The part of the shared tree that a path leads into. */
function exportIn(path: string | undefined): string[] {
  if (path?.startsWith(`${SHARED_TREE_PATH}/`) !== true) return [];
  const name = path.slice(SHARED_TREE_PATH.length + 1).split("/")[0] ?? "";
  return name === "" ? [] : [name];
}

/**
 * What is first looked at in a container's mount namespace is mounted there only, and once more for the next container:
 * as two file systems. Here all containers find it.
 */
function mountHere(path: string): void {
  try {
    statSync(`${path}/.`);
  } catch {
    return; // A file, or nothing: the runtime says so.
  }
}

function release(path: string): void {
  const mounted = mountPoints().filter((point) => point === path || point.startsWith(`${path}/`));
  for (const point of mounted.reverse()) unmountUnlessGone(point);
}

// The kernel drops a mount of this kind itself when a look at its path finds that the host's is gone.
function unmountUnlessGone(point: string): void {
  try {
    unmount(point);
  } catch (error) {
    if (mountPoints().includes(point)) throw error;
  }
}

function mountPoints(): string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return lines.map((line) => unescaped(line.split(" ")[4] ?? ""));
}

/** mountinfo writes blanks, line ends and backslashes as octal numbers. */
function unescaped(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
