// `npm run test:templates`: end-to-end tests with VMs that are cloned from a template, as far as they use the installed
// configuration. Names of suites may follow; with --cache first, VMs come from the cache as well.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildPackages, buildTree } from "./lib/build-all.ts";
import { installKernelBuildPackages } from "./lib/kernel-packages.ts";
import { ROOT } from "./lib/paths.ts";
import { tool } from "./lib/run.ts";

const USUAL = ["lifecycle", "processes", "signals", "stdio", "terminal", "verbs", "hooks", "pods", "network", "docker"];

await buildPackages();
await installKernelBuildPackages();
await buildTree("tuned");
const tree = join(ROOT, "dist", "kata-ts");
const runtime = join(tree, "bin", "kata-runtime");
const dropIns = join(tree, "share", "kata-ts", "config.d");
const cached = process.argv[2] === "--cache";
const given = process.argv.slice(cached ? 3 : 2);
mkdirSync(dropIns, { recursive: true });
try {
  writeFileSync(
    join(dropIns, "50-templates.toml"),
    `[factory]\nenable_template = true\n${cached ? "vm_cache_number = 2\n" : ""}`,
  );
  await tool(runtime, ["factory", "init"]);
  const suites = given.length > 0 ? given : USUAL;
  await tool("vitest", ["run", "--root", "e2e", ...suites.map((name) => `test/${name}.test.ts`)]);
} finally {
  await tool(runtime, ["factory", "destroy"]);
  rmSync(dropIns, { recursive: true });
}
