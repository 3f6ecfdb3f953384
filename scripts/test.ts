// `npm test`: builds everything, then runs every check and every test: unit, compliance, and end to end with real VMs.
// Prints the time of each suite, and as its last line the sum: "N passed, N failed".
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackages, buildTree } from "./lib/build-all.ts";
import { CHECKS } from "./lib/checks.ts";
import { endToEndSuites, runEndToEndUntil } from "./lib/e2e-suites.ts";
import { fromTemplates } from "./lib/from-templates.ts";
import { auditGuest } from "./lib/guest-audit.ts";
import { buildGuestPackage } from "./lib/guest-package.ts";
import { LABORATORY_FILE_MS, laboratoryTurn, runLaboratoryFile } from "./lib/laboratory.ts";
import { DIST } from "./lib/paths.ts";
import { step, tool } from "./lib/run.ts";
import { runningTest } from "./lib/running-test.ts";
import type { Counts } from "./lib/test-counts.ts";
import { endsWithin } from "./lib/time-limit.ts";

/** By then all suites have begun on two cores of today. On slower ones the others wait for another day, and are named. */
const LAST_BEGIN_MS = 58 * 60_000;
/** Whatever runs by then is given up: a run may take an hour and a half. */
const WHOLE_MS = 80 * 60_000;

interface Suite {
  readonly name: string;
  /** It is given up then, if not before. */
  readonly limitMs?: number;
  readonly run: () => Promise<void>;
}

const directory = mkdtempSync(join(tmpdir(), "kata-ts-test-"));
const countsFile = join(directory, "counts");
const counted = { KATA_TEST_COUNTS: countsFile };
const { booted, cloned } = endToEndSuites();
/** What did not begin, for want of time. */
const left: string[] = [];

const suites: readonly Suite[] = [
  ...CHECKS,
  { name: "unit and compliance tests", run: () => tool("vitest", ["run"], counted) },
  { name: "end to end, VMs that boot", run: () => inTime("booted", booted) },
  { name: "end to end, VMs that are cloned", run: () => fromTemplates(() => inTime("cloned", cloned)) },
  ...laboratoryTurn(new Date()).map((file) => ({
    name: `laboratory, ${file}`,
    limitMs: LABORATORY_FILE_MS,
    run: () => laboratory(file),
  })),
];

await buildPackages();
await buildTree("tuned");
await buildGuestPackage();

await step("the guest's packages, beside those of today", showAudit);

const times: [string, number, string][] = [];
let failedChecks = 0;
for (const { name, limitMs = WHOLE_MS, run } of suites) {
  const began = performance.now();
  const rest = Math.min(limitMs, Math.max(0, WHOLE_MS - began));
  const limited = (): Promise<void> => endsWithin(rest, run, () => runningTest(countsFile));
  const outcome = await step(name, limited).then(
    () => "passed",
    (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      process.stdout.write(`  ${name}: ${reason.split("\n")[0] ?? ""}\n`);
      return "FAILED";
    },
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
for (const name of left) process.stdout.write(`waits for another day, as this machine is slow: ${name}\n`);
for (const { name, errors } of counts.notPassed) {
  process.stdout.write(`did not pass: ${name}\n`);
  for (const line of errors.flatMap((error) => error.split("\n"))) process.stdout.write(`  | ${line}\n`);
}
process.stdout.write(`${String(counts.passed)} passed, ${String(counts.failed)} failed\n`);
process.exit(counts.failed === 0 ? 0 : 1);

async function inTime(how: string, names: readonly string[]): Promise<void> {
  const others = await runEndToEndUntil(LAST_BEGIN_MS, names, counted);
  left.push(...others.map((name) => `${name}, ${how}`));
}

async function laboratory(file: string): Promise<void> {
  if (performance.now() < LAST_BEGIN_MS) await runLaboratoryFile(file, counted);
  else left.push(`laboratory, ${file}`);
}

/** A fix that Debian publishes is news, and no fault of what is tested: it is shown, and fails nothing. */
async function showAudit(): Promise<void> {
  const { lines } = await auditGuest(readFileSync(join(DIST, "share", "kata-ts", "guest-versions.json"), "utf8")).catch(
    (error: unknown) => ({ lines: [`Debian's archive could not be asked: ${String(error)}`] }),
  );
  process.stdout.write(`  ${lines.join("\n  ")}\n`);
}

function sumCounts(): Counts {
  const sum: Counts = { passed: 0, failed: 0, skipped: 0, notPassed: [] };
  for (const line of readCounts()) {
    const part = JSON.parse(line) as Counts;
    sum.passed += part.passed;
    sum.failed += part.failed + part.skipped; // a skipped test proves nothing
    sum.notPassed.push(...part.notPassed);
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
