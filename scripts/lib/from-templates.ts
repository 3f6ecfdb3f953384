import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./paths.ts";
import { tool } from "./run.ts";

/** Does something while the built tree's VMs are cloned from a template and not booted. @param waiting vm_cache_number */
export async function fromTemplates(work: () => Promise<void>, waiting = 0): Promise<void> {
  const tree = join(ROOT, "dist", "kata-ts");
  const runtime = join(tree, "bin", "kata-runtime");
  const dropIns = join(tree, "share", "kata-ts", "config.d");
  mkdirSync(dropIns, { recursive: true });
  try {
    const options = ["[factory]", "enable_template = true", `vm_cache_number = ${String(waiting)}`, ""];
    writeFileSync(join(dropIns, "50-templates.toml"), options.join("\n"));
    await tool(runtime, ["factory", "init"]);
    await work();
  } finally {
    await tool(runtime, ["factory", "destroy"]);
    rmSync(dropIns, { recursive: true });
  }
}
