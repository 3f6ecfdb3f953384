// `npm run test:faults`: the whole fault matrix, each process at each step, and containerd's shim in each of its calls. Prints the
// table of docs/reliability.md.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackages, buildTree } from "./lib/build-all.ts";
import { tool } from "./lib/run.ts";

await buildPackages();
await buildTree("tuned");
const directory = mkdtempSync(join(tmpdir(), "kata-ts-faults-"));
const table = join(directory, "table.md");
try {
  await tool("vitest", ["run", "--root", "e2e", "test/fault-matrix.test.ts", "test/shim-faults.test.ts"], {
    KATA_TEST_ROTATION: "all",
    KATA_TEST_FAULT_TABLE: table,
  });
} finally {
  process.stdout.write("| victim | signal | step | released | status | state | delete --force, twice |\n");
  process.stdout.write(`|${" --- |".repeat(7)}\n${existsSync(table) ? readFileSync(table, "utf8") : ""}`);
  rmSync(directory, { recursive: true });
}
