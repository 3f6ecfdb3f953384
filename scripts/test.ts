// `npm test`: builds everything, then runs every check and every test: unit, compliance, and end to end with real VMs.
// Prints the time of each suite, and as its last line the sum: "N passed, N failed".
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackages, buildTree } from "./lib/build-all.ts";
import { CHECKS } from "./lib/checks.ts";
import { endToEndSuites, runEndToEnd } from "./lib/e2e-suites.ts";
import { fromTemplates } from "./lib/from-templates.ts";
import { auditGuest } from "./lib/guest-audit.ts";
import { runLaboratoryTurn } from "./lib/laboratory.ts";
import { DIST } from "./lib/paths.ts";
import { step, tool } from "./lib/run.ts";
import type { Counts } from "./lib/test-counts.ts";

interface Suite {
  readonly name: string;
  readonly run: () => Promise<void>;
}

const directory = mkdtempSync(join(tmpdir(), "kata-ts-test-"));
const countsFile = join(directory, "counts");
const counted = { KATA_TEST_COUNTS: countsFile };
const { booted, cloned } = endToEndSuites();

const suites: readonly Suite[] = [
  ...CHECKS,
  { name: "unit and compliance tests", run: () => tool("vitest", ["run"], counted) },
  { name: "end to end, VMs that boot", run: () => runEndToEnd(booted, counted) },
  { name: "end to end, VMs that are cloned", run: () => fromTemplates(() => runEndToEnd(cloned, counted)) },
  { name: "laboratory, its host", run: () => runLaboratoryTurn(counted) },
];

await buildPackages();
await buildTree("tuned");

await step("the guest's packages, beside those of today", showAudit);

const times: [string, number, string][] = [];
let failedChecks = 0;
for (const { name, run } of suites) {
  const began = performance.now();
  const outcome = await step(name, run).then(
    () => "passed",
    () => "FAILED",
  );
  times.push([name, (performance.now() - began) / 1000, outcome]);
  if (outcome !== "passed" && CHECKS.some((check) => check.name === name)) failedChecks += 1;
}

const counts = sumCounts();
rmSync(directory, { recursive: true });
counts.passed += CHECKS.length - failedChecks;
counts.failed += failedChecks;
// A suite that broke down without counting a failed test has failed all the same.
if (counts.failed === 0 && times.some(([, , outcome]) => outcome !== "passed")) counts.failed = 1;
for (const [name, seconds, outcome] of times) {
  process.stdout.write(`${name.padEnd(34)}${seconds.toFixed(1).padStart(8)} s  ${outcome}\n`);
}
for (const name of counts.names) process.stdout.write(`did not pass: ${name}\n`);
process.stdout.write(`${String(counts.passed)} passed, ${String(counts.failed)} failed\n`);
process.exit(counts.failed === 0 ? 0 : 1);

/** A fix that Debian publishes is news, and no fault of what is tested: it is shown, and fails nothing. */
async function showAudit(): Promise<void> {
  const { lines } = await auditGuest(readFileSync(join(DIST, "share", "kata-ts", "guest-versions.json"), "utf8")).catch(
    (error: unknown) => ({ lines: [`Debian's archive could not be asked: ${String(error)}`] }),
  );
  process.stdout.write(`  ${lines.join("\n  ")}\n`);
}

function sumCounts(): Counts {
  const sum: Counts = { passed: 0, failed: 0, skipped: 0, names: [] };
  for (const line of readCounts()) {
    const part = JSON.parse(line) as Counts;
    sum.passed += part.passed;
    sum.failed += part.failed + part.skipped; // a skipped test proves nothing
    sum.names.push(...part.names);
  }
  return sum;
}

function readCounts(): string[] {
  try {
    return readFileSync(countsFile, "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}
