import { readdirSync, readFileSync, statSync } from "node:fs";

/** A field of /proc/PID/status, by words; each thread's, without those that say the same. */
export function fieldOf(pid: number, field: string): string[][] {
  const tasks = readdirSync(`/proc/${String(pid)}/task`).map((tid) => `/proc/${String(pid)}/task/${tid}/status`);
  const line = new RegExp(`^${field}:[ \\t]*(.*)$`, "m");
  const values = new Set(tasks.map((path) => line.exec(readFileSync(path, "latin1"))?.[1] ?? ""));
  return [...values].map((value) => value.split(/\s+/));
}

/** Of all threads together: what a process that does nothing but pass bytes on should have is nothing. */
export function privilegesOf(pid: number): Readonly<Record<string, string[][]>> {
  const fields = ["CapInh", "CapPrm", "CapEff", "CapAmb", "Groups", "NoNewPrivs", "Seccomp"];
  return Object.fromEntries(fields.map((field) => [field, fieldOf(pid, field)]));
}

/** The root directory of each thread: how many there are, and what is in it. */
export function rootsOf(pid: number): { readonly roots: number; readonly entries: string[] } {
  const roots = readdirSync(`/proc/${String(pid)}/task`).map((tid) => `/proc/${String(pid)}/task/${tid}/root`);
  const ids = roots.map((root) => `${String(statSync(root).dev)} ${String(statSync(root).ino)}`);
  return { roots: new Set(ids).size, entries: readdirSync(`/proc/${String(pid)}/root`).sort() };
}

const NO_CAPABILITY = [["0000000000000000"]];

export const NO_PRIVILEGES: Readonly<Record<string, string[][]>> = {
  CapInh: NO_CAPABILITY,
  CapPrm: NO_CAPABILITY,
  CapEff: NO_CAPABILITY,
  CapAmb: NO_CAPABILITY,
  Groups: [[""]],
  NoNewPrivs: [["1"]],
  Seccomp: [["2"]],
};
