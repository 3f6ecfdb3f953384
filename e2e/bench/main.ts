// `pnpm bench`: what things cost, as medians of several runs and as ratios to yardsticks measured in the same run.

import { join } from "node:path";
import { buildTree } from "../../scripts/lib/build-all.ts";
import { Kata } from "../harness/kata.ts";
import { fetchDistribution } from "../harness/kernels.ts";
import { SHARE } from "../harness/paths.ts";
import { boot } from "./boot.ts";
import { commandLine } from "./command-line.ts";
import { lifeCycle } from "./life-cycle.ts";
import { printTable, type Row } from "./measure.ts";
import { memory } from "./memory.ts";
import { network, networkCost } from "./network.ts";
import { streams } from "./streams.ts";

await buildTree("tuned");
await using booting = new Kata();
await using cloning = new Kata();
const templates = join(cloning.directory, "templates");
const configuration = `[factory]\nenable_template = true\ntemplate_path = "${templates}"\n`;
cloning.globals = ["--config", cloning.file("configuration.toml", configuration)];
await cloning.ok(["factory", "init"]);

/** The tables, by the names to ask for them; all are made without one. */
const TABLES: Readonly<Record<string, readonly [title: string, measure: () => Promise<Row[]>]>> = {
  "command-line": ["Command line", () => commandLine(booting)],
  boot: ["Boot with the installed kernel, since QEMU was spawned", () => boot({ kernelPath: join(SHARE, "vmlinux") })],
  "boot-distribution": [
    "Boot with the distribution's kernel, since QEMU was spawned",
    async () => boot(await fetchDistribution()),
  ],
  "life-cycle": ["Life of a container", () => lifeCycle(booting, cloning)],
  memory: ["Memory of one idle container (PSS)", () => memory(booting)],
  "memory-template": ["Memory of one idle container from a template (PSS)", () => memory(cloning)],
  streams: ["Streams", () => streams(booting)],
  network: ["Network", network],
  "network-cost": ["Network: what it adds to create", () => networkCost(booting)],
};

const wanted = process.argv.slice(2);
for (const [name, [title, measure]] of Object.entries(TABLES)) {
  if (wanted.length === 0 || wanted.includes(name)) printTable(title, await measure());
}
