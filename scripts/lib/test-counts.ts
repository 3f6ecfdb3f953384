import { appendFileSync } from "node:fs";
import type { Reporter, SerializedError, TestModule, TestRunEndReason } from "vitest/node";

/** What a vitest run leaves to the script that started it. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** The full names of tests that did not pass, with their files. */
  readonly names: string[];
}

/** Appends the counts of a vitest run to the file that KATA_TEST_COUNTS names; the test script adds them up. */
export default class TestCounts implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[], reason: TestRunEndReason): void {
    const counts: Counts = { passed: 0, failed: errors.length, skipped: 0, names: [] };
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== "passed") counts.names.push(`${module.relativeModuleId}: ${test.fullName}`);
        if (state === "passed") counts.passed += 1;
        else if (state === "skipped") counts.skipped += 1;
        else counts.failed += 1;
      }
    }
    if (reason === "interrupted") counts.failed += 1;
    const { KATA_TEST_COUNTS: file } = process.env;
    if (file !== undefined) appendFileSync(file, `${JSON.stringify(counts)}\n`);
  }
}
