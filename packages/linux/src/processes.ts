import { readdirSync, readFileSync } from "node:fs";
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
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, "latin1");
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
  return stat?.startTime === identity.startTime && stat.state !== "Z" && stat.state !== "X";
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

/** Changes with every boot of this kernel; records of an earlier boot name processes that cannot live any more. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}

const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
const P_ALL = 0;
const SIGINFO_BYTES = 128;
const SI_PID = 16;

/** Orphans below this process become its children. */
export function becomeSubreaper(): void {
  const signature = "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)";
  call(signature, "PR_SET_CHILD_SUBREAPER", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

export interface ExitStatus {
  /** Undefined when a signal ended the process. */
  readonly exitCode: number | undefined;
  readonly signal: number | undefined;
}

/** A child that is dead and not collected yet, whoever is to collect it; undefined when there is none. */
export function deadChild(): number | undefined {
  const info = Buffer.alloc(SIGINFO_BYTES);
  const signature = "int waitid(int type, int id, void *info, int options)";
  try {
    call(signature, "of any child", P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT);
  } catch (error) {
    if (error instanceof LinuxError && error.errno === "ECHILD") return undefined;
    throw error;
  }
  return info.readInt32LE(SI_PID) || undefined;
}

/**
 * Collects one dead child that Node does not know, without waiting: undefined while it lives. Never asks for "any
 * child": that would steal the statuses that Node's child_process waits for.
 */
export function reapChild(pid: number): ExitStatus | undefined {
  const status = Buffer.alloc(4);
  const reaped = call("int waitpid(int pid, void *status, int options)", String(pid), pid, status, WNOHANG);
  if (reaped !== pid) return undefined;
  const value = status.readInt32LE(0);
  const signal = value & 0x7f;
  return signal === 0 ? { exitCode: (value >> 8) & 0xff, signal: undefined } : { exitCode: undefined, signal };
}
