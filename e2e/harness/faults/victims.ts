import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { identifyProcess, type ProcessIdentity, readProcessStat } from "@kata-ts/linux";
import type { Kata } from "../kata.ts";
import type { Held } from "./phases.ts";

interface Recorded {
  readonly shim: ProcessIdentity;
  readonly vm: {
    readonly dir: string;
    readonly processes: readonly ProcessIdentity[];
    readonly vmm: ProcessIdentity;
  };
}

export type VictimName = "qemu" | "virtiofsd" | "proxy" | "shim" | "exec-shim" | "cli";

/** The process of this name that works for the container that is held. */
export function findVictim(name: VictimName, kata: Kata, { id, call }: Held): ProcessIdentity {
  const { shim, vm } = readRecord(kata, id);
  const found: Readonly<Record<VictimName, () => number | undefined>> = {
    qemu: () => vm.processes.find(({ pid }) => commandOf(pid).includes("qemu-system"))?.pid,
    virtiofsd: () => vm.processes.find(({ pid }) => commandOf(pid).includes("virtiofsd"))?.pid,
    proxy: () => vm.processes.find(({ pid }) => commandOf(pid).includes("kata-proxy"))?.pid,
    shim: () => shim.pid,
    "exec-shim": () => childrenOf(call?.pid).find((pid) => commandOf(pid).includes("kata-shim")),
    cli: () => call?.pid,
  };
  const pid = found[name]();
  if (pid === undefined) throw new Error(`${id} has no ${name}`);
  return identifyProcess(pid);
}

export function readRecord(kata: Kata, id: string): Recorded {
  return JSON.parse(readFileSync(join(kata.root, id, "kata.json"), "utf8")) as Recorded;
}

export function commandOf(pid: number): string {
  return readFileSync(`/proc/${String(pid)}/cmdline`, "latin1").replaceAll("\0", " ");
}

export function childrenOf(parent: number | undefined): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => readProcessStat(pid)?.parent === parent);
}
