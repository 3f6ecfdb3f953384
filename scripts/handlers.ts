// `npm run test:handlers`: takes each handler out of a copy of the last commit, and expects its test to fail there. Words
// may follow, of the names of those to be taken.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { HANDLERS, type Handler } from "./lib/handlers/index.ts";
import { ROOT } from "./lib/paths.ts";
import { step } from "./lib/run.ts";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly failureMessages: readonly string[] }[];
  }[];
}

const words = process.argv.slice(2);
const chosen = HANDLERS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
const directory = await mkdtemp(join(tmpdir(), "kata-ts-handlers-"));
const copy = join(directory, "copy");
const intact = join(directory, "intact");
/** Where tests have their files. */
const temporary = join(directory, "tmp");
const useless: string[] = [];
try {
  await mkdir(temporary);
  await execa("git", ["clone", "--quiet", ROOT, copy]);
  await step("build with all handlers", build);
  await cp(join(copy, "dist", "kata-ts"), intact, { recursive: true, verbatimSymlinks: true });
  for (const handler of chosen) if (!(await step(handler.name, () => isNeeded(handler)))) useless.push(handler.name);
} finally {
  await rm(directory, { recursive: true, force: true });
}
for (const name of useless) process.stdout.write(`no test fails without: ${name}\n`);
process.stdout.write(`${String(chosen.length - useless.length)} handlers needed, ${String(useless.length)} not\n`);
process.exitCode = useless.length === 0 ? 0 : 1;

async function isNeeded(handler: Handler): Promise<boolean> {
  const path = join(copy, handler.file);
  const whole = await readFile(path, "utf8");
  if (whole.split(handler.code).length !== 2) throw new Error(`${handler.file}: not there once: ${handler.code}`);
  await writeFile(
    path,
    whole.replace(handler.code, () => handler.without),
  );
  try {
    await build();
    const { numPassedTests, numFailedTests, testResults } = await test(handler.test);
    if (numPassedTests + numFailedTests === 0) throw new Error(`no test is named ${handler.test.join(": ")}`);
    const failures = testResults.flatMap(({ assertionResults }) =>
      assertionResults.flatMap((of) => of.failureMessages),
    );
    for (const failure of failures) process.stdout.write(`  fails: ${failure.split("\n")[0] ?? ""}\n`);
    return numFailedTests > 0;
  } finally {
    await writeFile(path, whole);
    await cleanUp();
  }
}

/** Removes what the test could not get rid of, for want of the handler: the next one looks at the whole host. */
async function cleanUp(): Promise<void> {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(join("/proc", pid, "cmdline"), "latin1").catch(() => "");
    if (command.startsWith(copy)) await execa("kill", ["-KILL", pid], { reject: false }); // It may have ended by now.
  }
  const runtime = join(intact, "bin", "kata-runtime");
  for (const home of await readdir(temporary)) {
    const globals = ["--root", join(temporary, home, "root")];
    const ids = (await execa(runtime, [...globals, "list", "--quiet"])).stdout.split("\n").filter(Boolean);
    for (const id of ids) await execa(runtime, [...globals, "delete", "--force", id]);
  }
  await execa(runtime, ["gc"]);
  await rm(temporary, { recursive: true });
  await mkdir(temporary);
}

async function build(): Promise<void> {
  await execa(process.execPath, ["scripts/boot.mjs", "scripts/build.ts", "tuned"], { cwd: copy, stdin: "ignore" });
}

async function test([suite, name]: Handler["test"]): Promise<Report> {
  const report = join(directory, "report.json");
  const root = suite.startsWith("e2e/") ? "e2e" : ".";
  const args = ["run", "--root", root, `${suite}.test.ts`, "-t", name];
  const output = ["--reporter", "json", "--outputFile", report, "--testTimeout", "60000"];
  const env = { KATA_TEST_ROTATION: "all", TMPDIR: temporary };
  await execa("vitest", [...args, ...output], { cwd: copy, preferLocal: true, localDir: copy, env, reject: false });
  return JSON.parse(await readFile(report, "utf8")) as Report;
}
