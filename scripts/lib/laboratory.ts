import type { HostSuite } from "../../e2e/lab/suites.ts";
import { tool } from "./run.ts";

/** The test of a host's own life, which also makes the host where there is none. */
const EVERY_DAY = "host-life";

/**
 * Of the laboratory's files those of which one runs each day: each ends within minutes, on a machine on which the other suites end in
 * time. docs/laboratory.md has the measured times, and names what is left to `test:lab`.
 */
const IN_TURN: readonly string[] = ["container", "pods", "hotplug", "want-of-memory", "network", "apparmor"];

const DAY_MS = 86_400_000;
/** A test that takes longer fails and leaves what is known of its host; it ends before the file is given up. */
const TEST_MS = 8 * 60_000;
/** A host that is made first takes most of it, once. */
const HOST_MS = 9 * 60_000;

/** What a file of a day's turn may take. */
export const LABORATORY_FILE_MS: number = 10 * 60_000;

/** Runs the laboratory's tests on a host of that release. */
export function runLaboratory(suite: HostSuite): Promise<void> {
  return tool("vitest", ["run", "--root", "e2e/lab"], { KATA_LAB_SUITE: suite });
}

/** The files that `npm test` runs on that day. */
export function laboratoryTurn(date: Date): readonly string[] {
  const inTurn = IN_TURN[Math.floor(date.getTime() / DAY_MS) % IN_TURN.length];
  return inTurn === undefined ? [EVERY_DAY] : [EVERY_DAY, inTurn];
}

/** Runs one of them, on one host. */
export function runLaboratoryFile(name: string, environment: Readonly<Record<string, string>>): Promise<void> {
  const limits = [`--testTimeout=${String(TEST_MS)}`, `--hookTimeout=${String(HOST_MS)}`];
  const args = ["run", "--root", "e2e/lab", `test/${name}.test.ts`, ...limits];
  return tool("vitest", args, { ...environment, KATA_LAB_SUITE: "trixie" });
}
