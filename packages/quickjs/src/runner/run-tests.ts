import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { execa } from "execa";
import { bundle } from "../bundle/bundle.ts";
import { compileBundle } from "../bundle/compile.ts";

const VITEST = join(import.meta.dirname, "vitest.ts");
const RUN = join(import.meta.dirname, "main.ts");
/** Of gRPC and of the embedded API, which what is tested imports and does not come to use. */
const LEFT_OUT = ["@grpc/grpc-js", "node:http", "node:http2", "node:readline", "node:diagnostics_channel"] as const;
const LIMIT_MS = 60_000;

export interface TestResult {
  readonly name: string;
  /** What it failed with; absent where it passed. */
  readonly failure?: string;
}

/**
 * Bundles a file of tests for the engine, with vitest resolved to a runner of our own, and runs it.
 *
 * @throws Error where it cannot be bundled, or the program ends before all tests have
 */
export async function runTestsOnEngine(engine: string, file: string): Promise<readonly TestResult[]> {
  const directory = await mkdtemp(join(tmpdir(), "kata-js-tests-"));
  try {
    const [bundled, program, results] = [
      join(directory, "tests.js"),
      join(directory, "tests.kjs"),
      join(directory, "results"),
    ];
    await writeFile(results, "");
    await bundle([file, RUN], bundled, { alias: { vitest: VITEST }, leftOut: LEFT_OUT });
    await compileBundle(engine, bundled, program);
    const env = { KATA_JS_RESULTS: results };
    const ended = await execa(engine, [program], { env, reject: false, timeout: LIMIT_MS, stdin: "ignore", all: true });
    const found = (await readFile(results, "utf8")).split("\n").filter(Boolean);
    if (ended.failed) throw new Error(`${basename(file)} on the engine: ${ended.all || String(ended.shortMessage)}`);
    if (found.length === 0) throw new Error(`${basename(file)} has no test`);
    return found.map((line) => {
      const result: unknown = JSON.parse(line);
      return result as TestResult; // By our own runner, a moment ago.
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}
