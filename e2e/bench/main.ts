// `pnpm bench [TABLE …]`: what things cost, as medians of several runs and as ratios to yardsticks measured in the same
// run.
import { buildTree } from "../../scripts/lib/build-all.ts";

await buildTree("tuned");
// Compiled a moment ago: not there when this file was loaded.
const { printTables } = await import("./tables.ts");
await printTables(process.argv.slice(2));
