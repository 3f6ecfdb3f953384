import { tryLibc } from "../libc.ts";

const RLIMIT_NOFILE = 7;

/**
 * A program may open as many files as its hard limit allows, as on Node: the soft one is for programs that use select(2).
 *
 * @returns the soft limit that it was called with
 */
export function raiseOpenFiles(): number {
  const limits = new BigUint64Array(2); // Soft and hard.
  tryLibc("prlimit", 0, RLIMIT_NOFILE, null, limits);
  const [soft = 0n, hard = 0n] = limits;
  if (soft < hard) tryLibc("prlimit", 0, RLIMIT_NOFILE, new BigUint64Array([hard, hard]), null);
  return Number(soft);
}
