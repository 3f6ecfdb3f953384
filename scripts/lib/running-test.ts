import { readFileSync, writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";

/** Where a vitest run writes what it is in, beside the file that KATA_TEST_COUNTS names. */
const FILE: string | undefined = process.env.KATA_TEST_COUNTS && `${process.env.KATA_TEST_COUNTS}.running`;

/** Keeps the name of the test that began last, for a run that does not end by itself. */
export default class RunningTest implements Reporter {
  onTestModuleStart(module: TestModule): void {
    write(module.relativeModuleId);
  }

  onTestCaseReady(test: TestCase): void {
    write(`${test.module.relativeModuleId}: ${test.fullName}`);
  }

  onTestCaseResult(test: TestCase): void {
    write(`${test.module.relativeModuleId}, after: ${test.fullName}`);
  }
}

/** The test that began last. @param counts the file of counts that the run was given */
export function runningTest(counts: string): string {
  try {
    return readFileSync(`${counts}.running`, "utf8");
  } catch {
    return "no test";
  }
}

function write(name: string): void {
  if (FILE) writeFileSync(FILE, name);
}
