// `npm run test:mutants`: applies each mutant to a copy of the last commit, and expects its test to fail there, after it has passed without
// the mutant. Words that follow select mutants by their names or their suites: `packages/` those whose tests need no VM.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { MUTANTS, type Mutant } from "./lib/mutants/index.ts";
import { ROOT } from "./lib/paths.ts";
import { step } from "./lib/run.ts";

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly failureMessages: readonly string[] }[];
  }[];
}

interface Tested {
  readonly numPassedTests: number;
  readonly failures: readonly string[];
}

const words = process.argv.slice(2);
const chosen = MUTANTS.filter(({ name, test: [suite] }) => {
  return words.length === 0 || words.some((word) => name.includes(word) || suite.includes(word));
});
const needTree = chosen.some(needsTree);
const directory = await mkdtemp(join(tmpdir(), "kata-ts-mutants-"));
const copy = join(directory, "copy");
const intact = join(directory, "intact");
/** Where tests have their files. */
const temporary = join(directory, "tmp");
const survivors: string[] = [];
try {
  await mkdir(temporary);
  await execa("git", ["clone", "--quiet", ROOT, copy]);
  await step("build without mutants", () => build(needTree));
  if (needTree) await cp(join(copy, "dist", "kata-ts"), intact, { recursive: true, verbatimSymlinks: true });
  // What fails anyhow says nothing of a mutant.
  for (const mutant of chosen) await step(`without: ${mutant.name}`, () => passes(mutant));
  for (const mutant of chosen) if (!(await step(mutant.name, () => isKilled(mutant)))) survivors.push(mutant.name);
} finally {
  await rm(directory, { recursive: true, force: true });
}
for (const name of survivors) process.stdout.write(`survived: ${name}\n`);
process.stdout.write(
  `${String(chosen.length - survivors.length)} mutants killed, ${String(survivors.length)} survived\n`,
);
process.exitCode = survivors.length === 0 ? 0 : 1;

/** @throws Error where there is no such test, or it fails */
async function passes({ test: [suite, name] }: Mutant): Promise<void> {
  const { numPassedTests, failures } = await test([suite, name]);
  await cleanUp();
  if (failures.length > 0) throw new Error(`${suite}: ${name} fails without a mutant: ${failures.join("\n")}`);
  if (numPassedTests === 0) throw new Error(`no test is named ${suite}: ${name}`);
}

async function isKilled(mutant: Mutant): Promise<boolean> {
  const path = join(copy, mutant.file);
  const whole = await readFile(path, "utf8");
  if (whole.split(mutant.code).length !== 2) throw new Error(`${mutant.file}: not there once: ${mutant.code}`);
  await writeFile(
    path,
    whole.replace(mutant.code, () => mutant.without),
  );
  try {
    await build(needsTree(mutant));
    const { failures } = await test(mutant.test);
    for (const failure of failures) process.stdout.write(`  fails: ${failure.split("\n")[0] ?? ""}\n`);
    return failures.length > 0;
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
  if (needTree) await cleanUpContainers();
  await rm(temporary, { recursive: true });
  await mkdir(temporary);
}

async function cleanUpContainers(): Promise<void> {
  const runtime = join(intact, "bin", "kata-runtime");
  for (const home of await readdir(temporary)) {
    const globals = ["--root", join(temporary, home, "root")];
    const ids = (await execa(runtime, [...globals, "list", "--quiet"])).stdout.split("\n").filter(Boolean);
    for (const id of ids) await execa(runtime, [...globals, "delete", "--force", id]);
  }
  await execa(runtime, ["gc"]);
}

/** End-to-end tests run the installed programs, the others what the packages are compiled to. */
function needsTree({ test: [suite] }: Mutant): boolean {
  return suite.startsWith("e2e/");
}

async function build(tree: boolean): Promise<void> {
  const script = tree ? ["scripts/build.ts", "tuned"] : ["scripts/generate.ts"];
  await execa(process.execPath, ["scripts/boot.mjs", ...script], { cwd: copy, stdin: "ignore" });
}

async function test([suite, name]: Mutant["test"]): Promise<Tested> {
  const report = join(directory, "report.json");
  const root = suite.startsWith("e2e/") ? "e2e" : ".";
  const args = ["run", "--root", root, `${suite}.test.ts`, "-t", name];
  const output = ["--reporter", "json", "--outputFile", report, "--testTimeout", "60000"];
  const env = { KATA_TEST_ROTATION: "all", TMPDIR: temporary };
  await execa("vitest", [...args, ...output], { cwd: copy, preferLocal: true, localDir: copy, env, reject: false });
  const { numPassedTests, testResults } = JSON.parse(await readFile(report, "utf8")) as Report;
  const assertions = testResults.flatMap(({ assertionResults }) => assertionResults);
  return { numPassedTests, failures: assertions.flatMap(({ failureMessages }) => failureMessages) };
}
