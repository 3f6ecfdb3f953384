// `pnpm check`: every check that does not run the code.
import { buildPackages } from "./lib/build-all.ts";
import { CHECKS } from "./lib/checks.ts";
import { step } from "./lib/run.ts";

await buildPackages();
for (const { name, run } of CHECKS) await step(name, run);
