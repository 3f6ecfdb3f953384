import { readdirSync, readFileSync } from "node:fs";

/** A process may fork while the others are looked for: so often is looked again. */
const MAX_ROUNDS = 16;

interface Found {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
}

/**
 * Kills a process, its descendants, and what has stayed in its session when its parent ended. The runtime starts each
 * process in a session of its own; a daemon that has left both is the container's from then on, as on any host.
 */
export function killSession(leader: number): void {
  const killed: Set<number> = new Set();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const fresh = membersOf(leader, processes()).filter((pid) => !killed.has(pid));
    if (fresh.length === 0) return;
    for (const pid of fresh) {
      killed.add(pid);
      kill(pid);
    }
  }
}

/** The leader itself first, then those of its session, and descendants of either. */
export function membersOf(leader: number, all: readonly Found[]): number[] {
  const members = new Set([leader, ...all.filter(({ session }) => session === leader).map(({ pid }) => pid)]);
  for (let before = 0; before !== members.size; ) {
    before = members.size;
    for (const { pid, parent } of all) if (members.has(parent)) members.add(pid);
  }
  return [...members];
}

function processes(): Found[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => parseStat(Number(name), statOf(name)) ?? []);
}

/** Undefined for a process that has ended meanwhile. The name, in parentheses, may hold anything. */
function parseStat(pid: number, stat: string): Found | undefined {
  const [, parent, , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return session === undefined ? undefined : { pid, parent: Number(parent), session: Number(session) };
}

function statOf(name: string): string {
  try {
    return readFileSync(`/proc/${name}/stat`, "latin1");
  } catch {
    return "";
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
