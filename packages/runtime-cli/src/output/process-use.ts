import { readFileSync } from "node:fs";

/** The kernel counts processor time for programs in hundredths of a second, on every machine. */
const NANOSECONDS_A_TICK = 1e7;

/** Processor time that a process has used, with the children that it has waited for; 0 once it is gone. */
export function cpuNanoseconds(pid: number): number {
  try {
    // Behind the name in brackets, which may hold anything: state, ppid, …, utime, stime, cutime, cstime.
    const fields =
      readFileSync(`/proc/${String(pid)}/stat`, "latin1")
        .split(") ")
        .at(-1)
        ?.split(" ") ?? [];
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return ticks * NANOSECONDS_A_TICK;
  } catch {
    return 0;
  }
}

/** Memory that a process takes, shared pages in proportion; undefined once it is gone. */
export function proportionalBytes(pid: number): number | undefined {
  try {
    const rollup = readFileSync(`/proc/${String(pid)}/smaps_rollup`, "latin1");
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
  } catch {
    return undefined;
  }
}
