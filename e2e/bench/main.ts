// `pnpm bench`: what things cost, as medians of several runs and as ratios to yardsticks measured in the same run.

import { join } from "node:path";
import { buildTree } from "../../scripts/lib/build-all.ts";
import { Kata } from "../harness/kata.ts";
import { fetchDistribution } from "../harness/kernels.ts";
import { SHARE } from "../harness/paths.ts";
import { boot } from "./boot.ts";
import { commandLine } from "./command-line.ts";
import { lifeCycle } from "./life-cycle.ts";
import { printTable } from "./measure.ts";
import { memory } from "./memory.ts";
import { network, networkCost } from "./network.ts";
import { streams } from "./streams.ts";

await buildTree("tuned");
await using kata = new Kata();
printTable("Command line", await commandLine(kata));
printTable(
  "Boot with the installed kernel, since QEMU was spawned",
  await boot({ kernelPath: join(SHARE, "vmlinux") }),
);
printTable("Boot with the distribution's kernel, since QEMU was spawned", await boot(await fetchDistribution()));
printTable("Life of a container", await lifeCycle(kata));
printTable("Memory of one idle container (PSS)", await memory(kata));
printTable("Streams", await streams(kata));
printTable("Network", await network());
printTable("Network: what it adds to create", await networkCost(kata));
