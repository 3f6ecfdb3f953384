import { readdirSync, readFileSync, statSync } from "node:fs";
import { call, LinuxError } from "./native.ts";

/** A process that cannot be mistaken for a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of /proc/PID/stat. */
  readonly startTime: number;
}

interface ProcessStat {
  readonly state: string;
  readonly parent: number;
  readonly startTime: number;
}

/** Undefined when there is no such process. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  return readStat(String(pid));
}

/** @param name of a process, or of a thread of one, below /proc */
function readStat(name: string): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${name}/stat`, "latin1");
    // The command's name may hold spaces and brackets: fields are counted after its closing one.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", parent: Number(fields[1]), startTime: Number(fields[19]) };
  } catch {
    return undefined;
  }
}

/** @throws Error if the process is gone already */
export function identifyProcess(pid: number): ProcessIdentity {
  const stat = readProcessStat(pid);
  if (stat === undefined) throw new Error(`process ${String(pid)} is gone`);
  return { pid, startTime: stat.startTime };
}

/** True while that very process runs; a zombie does not. */
export function isAlive(identity: ProcessIdentity): boolean {
  const stat = readProcessStat(identity.pid);
  return stat?.startTime === identity.startTime && (!isOver(stat) || hasOtherThreads(identity.pid));
}

/** Whether a process runs as one of these users. A zombie runs nothing, and its parent may take a while to collect it. */
export function isUserInUse(uids: readonly number[]): boolean {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.some((pid) => {
    const uid = statSync(`/proc/${String(pid)}`, { throwIfNoEntry: false })?.uid;
    if (uid === undefined || !uids.includes(uid)) return false;
    const stat = readProcessStat(pid);
    return stat !== undefined && isAlive({ pid, startTime: stat.startTime });
  });
}

function isOver({ state }: ProcessStat): boolean {
  return state === "Z" || state === "X";
}

/** A process whose first thread has ended shows as a zombie, and runs on in its other threads. */
function hasOtherThreads(pid: number): boolean {
  return threadsOf(pid).length > 1;
}

/** Names below /proc; none of a process that is gone. */
function threadsOf(pid: number): string[] {
  const tasks = `${String(pid)}/task`;
  try {
    return readdirSync(`/proc/${tasks}`).map((thread) => `${tasks}/${thread}`);
  } catch {
    return [];
  }
}

/** Signals that very process; false if it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals | number): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** A process with all below it: its children, theirs, and so on, as they are at this moment. */
export function processTree(pid: number): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const children = Map.groupBy(pids.map(Number), (other) => readProcessStat(other)?.parent);
  const withAllBelow = (top: number): number[] => [top, ...(children.get(top) ?? []).flatMap(withAllBelow)];
  return withAllBelow(pid);
}

/** Whether a process, or one below it, has a thread that runs, waits for a processor, or waits for a disk. */
export function isAtWork(pid: number): boolean {
  return processTree(pid).some((each) =>
    threadsOf(each).some((thread) => ["R", "D"].includes(readStat(thread)?.state ?? "")),
  );
}

/** Changes with every boot of this kernel; records of an earlier boot name processes that cannot live any more. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}

const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;

/** Orphans below this process become its children. */
export function becomeSubreaper(): void {
  const signature = "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)";
  call(signature, "PR_SET_CHILD_SUBREAPER", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/** A child that has been collected. */
export interface DeadChild {
  readonly pid: number;
  /** Undefined when a signal ended the process. */
  readonly exitCode: number | undefined;
  readonly signal: number | undefined;
}

/**
 * Collects a child that is dead, whichever it is, without waiting; undefined when there is none. Only for a program in
 * which Node has no children of its own: `child_process` would wait for the statuses of those for ever.
 */
export function reapChild(): DeadChild | undefined {
  const status = Buffer.alloc(4);
  const pid = waitForAny(status);
  if (pid === 0) return undefined;
  const value = status.readInt32LE(0);
  const signal = value & 0x7f;
  return signal === 0
    ? { pid, exitCode: (value >> 8) & 0xff, signal: undefined }
    : { pid, exitCode: undefined, signal };
}

function waitForAny(status: Buffer): number {
  try {
    return call("int waitpid(int pid, void *status, int options)", "of any child", -1, status, WNOHANG);
  } catch (error) {
    if (error instanceof LinuxError && error.errno === "ECHILD") return 0;
    throw error;
  }
}
