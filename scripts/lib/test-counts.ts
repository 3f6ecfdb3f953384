import { appendFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import type { Reporter, SerializedError, TestModule, TestRunEndReason } from "vitest/node";

/** Of each error's words: the first lines say what was expected, the others are the values. */
const SHOWN_LINES = 12;

/** What a vitest run leaves to the script that started it. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  readonly notPassed: NotPassed[];
}

/** A test that did not pass. */
export interface NotPassed {
  /** Its full name, with its file. */
  readonly name: string;
  /** The first lines of each of its errors, with the place of the first. */
  readonly errors: readonly string[];
}

/** Appends the counts of a vitest run to the file that KATA_TEST_COUNTS names; the test script adds them up. */
export default class TestCounts implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[], reason: TestRunEndReason): void {
    const counts: Counts = { passed: 0, failed: errors.length, skipped: 0, notPassed: [] };
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        const { state } = result;
        if (state !== "passed") {
          counts.notPassed.push({ name: `${module.relativeModuleId}: ${test.fullName}`, errors: shown(result.errors) });
        }
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

function shown(errors: readonly SerializedError[] | undefined): string[] {
  return (errors ?? []).map(({ message, diff, stacks }) => {
    const place = stacks?.[0];
    const where = place === undefined ? [] : [`at ${place.file}:${String(place.line)}`];
    const difference = typeof diff === "string" ? stripVTControlCharacters(diff) : "";
    const lines = `${message}\n${difference}`.split("\n").filter(Boolean);
    return [...lines.slice(0, SHOWN_LINES), ...where].join("\n");
  });
}
