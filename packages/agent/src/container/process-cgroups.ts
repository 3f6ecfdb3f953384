import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { invalidArgument } from "../errors.ts";
import { removeCgroup } from "../guest/cgroup.ts";

/** A control group of one process, and of all that it starts. */
export interface ProcessCgroup {
  /** Below /sys/fs/cgroup. */
  readonly path: string;
  /** As the runtime takes it: seen from the container's. */
  readonly name: string;
}

/**
 * The control groups, below a container's, of processes that have one of their own: what such a process starts can leave its
 * session and its parent, but not its control group. They have no controllers: limits stay those of the container.
 */
export class ProcessCgroups {
  readonly #parent: string;
  /** Of processes that have ended; some may hold daemons that those have left. */
  readonly #left: Set<string> = new Set();
  #serial = 0;

  /** @param parent the container's, below /sys/fs/cgroup */
  constructor(parent: string) {
    this.#parent = parent;
  }

  make(): ProcessCgroup {
    const name = `/kata-exec-${String(this.#serial++)}`;
    const path = `${this.#parent}${name}`;
    mkdirSync(path);
    return { path, name };
  }

  /** Its process has ended: it goes as soon as it is empty, or with the container. */
  release(path: string): void {
    this.#left.add(path);
    for (const each of this.#left) if (removed(each)) this.#left.delete(each);
  }
}

/** @returns it as the runtime takes it; @throws AgentRpcError where it is not there, or not below the container's */
export function checkedSubgroup(own: string, wanted: string): string {
  const path = join(own, wanted);
  if (path !== own && !path.startsWith(`${own}/`)) throw invalidArgument(`${wanted} is not a sub cgroup path`);
  if (!existsSync(`${path}/cgroup.procs`)) throw invalidArgument(`the container has no cgroup ${wanted}`);
  return wanted.startsWith("/") ? wanted : `/${wanted}`;
}

function removed(path: string): boolean {
  try {
    removeCgroup(path);
    return true;
  } catch {
    // Processes are in it, or begin one in it. What else there may be is for the container's end, which reports it.
    return false;
  }
}
