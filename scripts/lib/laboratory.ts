import type { HostSuite } from "../../e2e/lab/suites.ts";
import { tool } from "./run.ts";

/** Of the laboratory's files, those that surely end within minutes. The others, and the other hosts, are for `test:lab`. */
const TURN: readonly string[] = ["test/host-life.test.ts"];

/** Runs the laboratory's tests on a host of that release; all files, or those given. */
export function runLaboratory(
  suite: HostSuite,
  environment: Readonly<Record<string, string>> = {},
  files: readonly string[] = [],
): Promise<void> {
  return tool("vitest", ["run", "--root", "e2e/lab", ...files], { ...environment, KATA_LAB_SUITE: suite });
}

/** What `npm test` runs of it, on one host. */
export function runLaboratoryTurn(environment: Readonly<Record<string, string>>): Promise<void> {
  return runLaboratory("trixie", environment, TURN);
}
