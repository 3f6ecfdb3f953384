import { readFileSync } from "node:fs";

/** The arguments of a process, each ended by NUL; empty where it has just ended. */
export function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}
