import { readFileSync } from "node:fs";
import { call } from "./native.ts";

/** A limit of a process, as config.json has it. */
export interface ResourceLimit {
  readonly type: string;
  readonly soft: number | bigint;
  readonly hard: number | bigint;
}

/** As /proc/PID/limits names them. */
const TYPES: Readonly<Record<string, string>> = {
  "cpu time": "RLIMIT_CPU",
  "file size": "RLIMIT_FSIZE",
  "data size": "RLIMIT_DATA",
  "stack size": "RLIMIT_STACK",
  "core file size": "RLIMIT_CORE",
  "resident set": "RLIMIT_RSS",
  processes: "RLIMIT_NPROC",
  "open files": "RLIMIT_NOFILE",
  "locked memory": "RLIMIT_MEMLOCK",
  "address space": "RLIMIT_AS",
  "file locks": "RLIMIT_LOCKS",
  "pending signals": "RLIMIT_SIGPENDING",
  "msgqueue size": "RLIMIT_MSGQUEUE",
  "nice priority": "RLIMIT_NICE",
  "realtime priority": "RLIMIT_RTPRIO",
  "realtime timeout": "RLIMIT_RTTIME",
};
const UNLIMITED = 18_446_744_073_709_551_615n;

/**
 * The limits that this process was called with: what a child of it would have inherited.
 *
 * @param text of /proc/self/limits
 * @param softOpenFiles what the caller's soft limit of open files was: Node raises its own to the hard one
 */
export function inheritedLimits(
  text: string = readFileSync("/proc/self/limits", "latin1"),
  softOpenFiles: string | undefined = process.env.KATA_TS_NOFILE,
): ResourceLimit[] {
  return text.split("\n").flatMap((line) => {
    const [, name = "", soft = "", hard = ""] =
      /^Max (\S+(?: \S+)*?) +(\d+|unlimited) +(\d+|unlimited)/.exec(line) ?? [];
    const type = TYPES[name];
    if (type === undefined) return [];
    const before = type === "RLIMIT_NOFILE" && /^\d+$/.test(softOpenFiles ?? "") ? (softOpenFiles ?? soft) : soft;
    return [{ type, soft: numberOf(before), hard: numberOf(hard) }];
  });
}

function numberOf(text: string): number | bigint {
  if (text === "unlimited") return UNLIMITED;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

const RLIMIT_FSIZE = 1;
const RLIMIT_MEMLOCK = 8;
const PRLIMIT = "int prlimit(int pid, int resource, const void *wanted, void *before)";

/** Lets a process lock as much memory as it likes. @throws LinuxError EPERM without CAP_SYS_RESOURCE */
export function unlimitLockedMemory(pid: number): void {
  const limit = Buffer.alloc(16, 0xff);
  call(PRLIMIT, `RLIMIT_MEMLOCK of process ${String(pid)}`, pid, RLIMIT_MEMLOCK, limit, null);
}

/** No file that this process writes to grows beyond this size any more; it is ended when it tries. */
export function limitFileSize(bytes: number): void {
  const limit = Buffer.alloc(16); // Soft and hard.
  for (const offset of [0, 8]) limit.writeBigUInt64LE(BigInt(bytes), offset);
  call(PRLIMIT, "RLIMIT_FSIZE", 0, RLIMIT_FSIZE, limit, null);
}
