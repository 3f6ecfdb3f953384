import { join } from "node:path";
import { fetchDistribution } from "../harness/kernels.ts";
import { SHARE } from "../harness/paths.ts";
import { boot, bootMachines } from "./boot.ts";
import { bounds } from "./bounds.ts";
import { commandLine } from "./command-line.ts";
import { files } from "./files.ts";
import { lifeCycle } from "./life-cycle.ts";
import { many } from "./many.ts";
import { printTable, type Row } from "./measure.ts";
import { memory, shims } from "./memory.ts";
import { network, networkCost } from "./network.ts";
import { type Runtimes, withRuntimes } from "./runtimes.ts";
import { shimsOfContainerd } from "./shims.ts";
import { snapshots } from "./snapshots.ts";
import { streams } from "./streams.ts";

interface Table {
  readonly title: string;
  readonly measure: () => Promise<Row[]>;
  /** Takes long: only when it is asked for. */
  readonly onDemand?: boolean;
}

/** The tables, by the names to ask for them. */
function tables(runtimes: Runtimes): Readonly<Record<string, Table>> {
  const { booting, cloning, caching } = runtimes;
  return {
    "command-line": { title: "Command line", measure: () => commandLine(booting) },
    boot: {
      title: "Boot with the installed kernel, since QEMU was spawned",
      measure: () => boot({ kernelPath: join(SHARE, "vmlinux") }),
    },
    "boot-machines": {
      title: "Boot of a microvm beside a q35 machine, since QEMU was spawned",
      measure: () => bootMachines(join(SHARE, "vmlinux")),
    },
    "boot-distribution": {
      title: "Boot with the distribution's kernel, since QEMU was spawned",
      measure: async () => boot(await fetchDistribution()),
    },
    "life-cycle": { title: "Life of a container", measure: () => lifeCycle(runtimes) },
    memory: { title: "Memory of one idle container (PSS)", measure: () => memory(booting) },
    "memory-template": { title: "Memory of one idle container from a template (PSS)", measure: () => memory(cloning) },
    "memory-cache": {
      title: "Memory of one idle container from the cache (PSS)",
      measure: async () => memory(await caching()),
    },
    shims: { title: "One more process in a container (PSS)", measure: () => shims(booting) },
    "shim-v2": {
      title: "containerd's shim for runc, and our own",
      measure: shimsOfContainerd,
      onDemand: true,
    },
    many: { title: "Many sandboxes at once, from a template", measure: () => many(cloning), onDemand: true },
    snapshots: { title: "Snapshots and copies of a sandbox of 512 MiB", measure: snapshots },
    streams: { title: "Streams", measure: () => streams(booting) },
    bounds: { title: "What it costs to bound a guest's memory on the host", measure: bounds },
    files: { title: "Files of the host, by virtio_fs_cache", measure: files },
    network: { title: "Network", measure: network },
    "network-cost": { title: "Network: what it adds to create", measure: () => networkCost(booting) },
  };
}

/** Measures and prints those that are named; without names all that do not take long. */
export async function printTables(wanted: readonly string[]): Promise<void> {
  await withRuntimes(async (runtimes) => {
    for (const [name, { title, measure, onDemand }] of Object.entries(tables(runtimes))) {
      if (wanted.length === 0 ? onDemand !== true : wanted.includes(name)) printTable(title, await measure());
    }
  });
}
