import { globSync } from "node:fs";
import { join } from "node:path";
import { rotated } from "../../e2e/harness/rotation.ts";
import { HOST_SUITES, type HostSuite } from "../../e2e/lab/suites.ts";
import { ROOT } from "./paths.ts";
import { tool } from "./run.ts";

/** In so many days each file has had its turn on one of the hosts. */
const SHARES = 4;

/** Runs the laboratory's tests on a host of that release; all files, or those given. */
export function runLaboratory(
  suite: HostSuite,
  environment: Readonly<Record<string, string>> = {},
  files: readonly string[] = [],
): Promise<void> {
  return tool("vitest", ["run", "--root", "e2e/lab", ...files], { ...environment, KATA_LAB_SUITE: suite });
}

/** The part of a day: at most ten minutes, on one host. */
export function runLaboratoryTurn(environment: Readonly<Record<string, string>>): Promise<void> {
  const files = globSync("test/*.test.ts", { cwd: join(ROOT, "e2e", "lab") }).sort();
  const [suite = "bookworm"] = rotated(HOST_SUITES, HOST_SUITES.length);
  return runLaboratory(suite, environment, rotated(files, Math.min(SHARES, files.length)));
}
