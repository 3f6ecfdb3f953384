// The way in: `node scripts/boot.mjs SCRIPT [ARGS]` with any Node from 18 on. Installs what is missing (distribution
// packages, the pinned pnpm, the npm dependencies with a current Node), then runs SCRIPT with that Node. Imports nothing
// but Node's own and scripts/boot: nothing is installed when this runs first.
import { join } from "node:path";
import { installMissing } from "./boot/apt.mjs";
import { installDependencies, NODE } from "./boot/dependencies.mjs";
import { BUILD_NEEDS, HOST_NEEDS, TEST_NEEDS } from "./boot/needs.mjs";
import { ROOT, run } from "./boot/processes.mjs";

/** What a script needs beside what building does. */
const NEEDS = {
  ...Object.fromEntries(
    ["test", "soak", "faults", "templates", "mutants"].map((name) => [`scripts/${name}.ts`, TEST_NEEDS]),
  ),
  "scripts/hosts.ts": HOST_NEEDS,
};

const [script = "scripts/start.ts", ...args] = process.argv.slice(2);
const more = NEEDS[script] ?? (script.startsWith("e2e/") ? TEST_NEEDS : []);
await installMissing([...BUILD_NEEDS, ...more]);
await installDependencies();
const path = `${join(ROOT, "node_modules/.bin")}:${process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin"}`;
process.exit(await run(NODE, [join(ROOT, script), ...args], { env: { ...process.env, PATH: path } }));
