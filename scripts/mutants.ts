// `npm run test:mutants`: applies each mutant to a copy of the last commit, and expects its test to fail there. Words that
// follow select mutants by their names.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { MUTANTS, type Mutant } from "./lib/mutants/index.ts";
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
const chosen = MUTANTS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
const directory = await mkdtemp(join(tmpdir(), "kata-ts-mutants-"));
const copy = join(directory, "copy");
const intact = join(directory, "intact");
/** Where tests have their files. */
const temporary = join(directory, "tmp");
const survivors: string[] = [];
try {
  await mkdir(temporary);
  await execa("git", ["clone", "--quiet", ROOT, copy]);
  await step("build without mutants", build);
  await cp(join(copy, "dist", "kata-ts"), intact, { recursive: true, verbatimSymlinks: true });
  for (const mutant of chosen) if (!(await step(mutant.name, () => isKilled(mutant)))) survivors.push(mutant.name);
} finally {
  await rm(directory, { recursive: true, force: true });
}
for (const name of survivors) process.stdout.write(`survived: ${name}\n`);
process.stdout.write(
  `${String(chosen.length - survivors.length)} mutants killed, ${String(survivors.length)} survived\n`,
);
process.exitCode = survivors.length === 0 ? 0 : 1;

async function isKilled(mutant: Mutant): Promise<boolean> {
  const path = join(copy, mutant.file);
  const whole = await readFile(path, "utf8");
  if (whole.split(mutant.code).length !== 2) throw new Error(`${mutant.file}: not there once: ${mutant.code}`);
  await writeFile(
    path,
    whole.replace(mutant.code, () => mutant.without),
  );
  try {
    await build();
    const { numPassedTests, numFailedTests, testResults } = await test(mutant.test);
    if (numPassedTests + numFailedTests === 0) throw new Error(`no test is named ${mutant.test.join(": ")}`);
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

/** Removes what the test could not get rid of, because of the mutant: the next test looks at the whole host. */
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

async function test([suite, name]: Mutant["test"]): Promise<Report> {
  const report = join(directory, "report.json");
  const root = suite.startsWith("e2e/") ? "e2e" : ".";
  const args = ["run", "--root", root, `${suite}.test.ts`, "-t", name];
  const output = ["--reporter", "json", "--outputFile", report, "--testTimeout", "60000"];
  const env = { KATA_TEST_ROTATION: "all", TMPDIR: temporary };
  await execa("vitest", [...args, ...output], { cwd: copy, preferLocal: true, localDir: copy, env, reject: false });
  return JSON.parse(await readFile(report, "utf8")) as Report;
}
