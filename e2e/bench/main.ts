// `pnpm bench`: what things cost, as medians of several runs and as ratios to yardsticks measured in the same run.
import { buildTree } from "../../scripts/lib/build-all.ts";
import { Kata } from "../harness/kata.ts";
import { boot } from "./boot.ts";
import { commandLine } from "./command-line.ts";
import { lifeCycle } from "./life-cycle.ts";
import { printTable } from "./measure.ts";
import { memory } from "./memory.ts";
import { streams } from "./streams.ts";

await buildTree("auto");
await using kata = new Kata();
printTable("Command line", await commandLine(kata));
printTable("Boot of a VM, since QEMU was spawned", await boot());
printTable("Life of a container", await lifeCycle(kata));
printTable("Memory of one idle container (PSS)", await memory(kata));
printTable("Streams", await streams(kata));
