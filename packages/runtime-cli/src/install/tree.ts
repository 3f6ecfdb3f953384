import { lstatSync } from "node:fs";
import { mkdir, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { KataError } from "@kata-ts/virtcontainers/records";
import { copyTree } from "./copy-tree.ts";
import { exists, isOurProgram, isThere } from "./ours.ts";

/** What an installation consists of, below its prefix: directories of ours, and programs beside others'. */
const DIRECTORIES = [join("libexec", "kata-ts"), join("share", "kata-ts")];
/** By which a directory is known as ours, before it is replaced or removed. */
const MARK = join("libexec", "kata-ts", "kata-proxy");
/** As MARK, while an installation is made, replaced or removed: that may be cut off at any step, and is done again then. */
const UNFINISHED = join("libexec", "kata-ts.unfinished");
const AWAY = "move it away, or install below another prefix";
const PROGRAMS: readonly Program[] = ["kata-runtime", "containerd-shim-kata-v2"].map((name) => ({
  path: join("bin", name),
  hint: AWAY,
}));
/** With what runs it a part of its own, which need not be there. */
const COMMAND: Program = {
  path: join("bin", "kata"),
  hint: "move it away, or install from kata-ts.tar.gz alone, which is without kata",
};

interface Program {
  readonly path: string;
  readonly hint: string;
}

export interface StepOptions {
  /** Called before each change. What it throws cuts the work off there, as an end of this process would. */
  readonly onStep?: (step: string) => void;
}

type Step = (name: string, change: () => Promise<unknown>) => Promise<void>;

/**
 * Copies an installation to another prefix, over an older one where there is one: each part is copied beside its place
 * and then renamed into it. Containers that run go on with what they have loaded. `kata` is installed where the source has it.
 * Where it was cut off, it is called again.
 *
 * @throws KataError KATA_CONFIG where something that is not ours is in the way
 */
export async function installTree(source: string, prefix: string, options: StepOptions = {}): Promise<void> {
  const target = resolve(prefix);
  const step = stepsOf(options);
  if (target === resolve(source)) throw new KataError("KATA_CONFIG", `${target} is where this runs from already`);
  const isOurs = await isInstalled(target);
  for (const part of DIRECTORIES) {
    if (!isOurs && (await exists(join(target, part)))) throw notOurs(join(target, part), AWAY);
  }
  const hasCommand = await exists(join(source, COMMAND.path));
  const programs = [...PROGRAMS, ...(hasCommand ? [COMMAND] : [])];
  for (const { path, hint } of programs) {
    if (isThere(join(target, path)) && !isOurProgram(join(target, path))) throw notOurs(join(target, path), hint);
  }
  await begin(target, step);
  for (const part of [...DIRECTORIES, ...programs.map(({ path }) => path)]) {
    await place(join(source, part), join(target, part), step);
  }
  // What ran it has gone with the older installation.
  if (!hasCommand) await removeProgram(join(target, COMMAND.path), step);
  await end(target, step);
}

/**
 * Takes an installation away, and the directories that are empty then. A program in bin that is another project's stays.
 *
 * @throws KataError KATA_CONFIG where there is none
 */
export async function uninstallTree(prefix: string, options: StepOptions = {}): Promise<void> {
  const target = resolve(prefix);
  const step = stepsOf(options);
  if (!(await isInstalled(target))) throw new KataError("KATA_CONFIG", `there is no kata-ts below ${target}`);
  await begin(target, step);
  for (const { path } of [...PROGRAMS, COMMAND]) await removeProgram(join(target, path), step);
  for (const part of DIRECTORIES) {
    for (const path of [part, ...unfinishedOf(part)]) {
      await step(`remove ${path}`, () => rm(join(target, path), { recursive: true, force: true }));
    }
  }
  await end(target, step);
  for (const directory of ["bin", "libexec", "share", "."]) {
    const path = join(target, directory);
    const names = await readdir(path).catch(() => undefined);
    if (names?.length === 0) await rmdir(path);
  }
}

function stepsOf({ onStep }: StepOptions): Step {
  return async (name, change) => {
    onStep?.(name);
    await change();
  };
}

async function isInstalled(target: string): Promise<boolean> {
  return (await exists(join(target, MARK))) || (await exists(join(target, UNFINISHED)));
}

async function begin(target: string, step: Step): Promise<void> {
  const path = join(target, UNFINISHED);
  await step("begin", async () => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "");
  });
}

async function end(target: string, step: Step): Promise<void> {
  await step("end", () => rm(join(target, UNFINISHED), { force: true }));
}

async function removeProgram(path: string, step: Step): Promise<void> {
  for (const each of unfinishedOf(path)) await step(`remove ${each}`, () => rm(each, { force: true }));
  if (isOurProgram(path)) await step(`remove ${path}`, () => rm(path, { force: true }));
}

/** Beside a part, while it is being replaced: the newer one, and the older. */
function unfinishedOf(part: string): readonly [fresh: string, old: string] {
  return [`${part}.new`, `${part}.old`];
}

async function place(from: string, to: string, step: Step): Promise<void> {
  const [fresh, old] = unfinishedOf(to);
  await mkdir(dirname(to), { recursive: true });
  await step(`make room for ${fresh}`, () => rm(fresh, { recursive: true, force: true }));
  await step(`copy ${fresh}`, async () => {
    copyTree(from, fresh);
  });
  // Only of a directory the older one is in the way.
  if (lstatSync(to, { throwIfNoEntry: false })?.isDirectory() === true) {
    await step(`make room for ${old}`, () => rm(old, { recursive: true, force: true }));
    await step(`move ${to} away`, () => rename(to, old));
  }
  await step(`place ${to}`, () => rename(fresh, to));
  await step(`remove ${old}`, () => rm(old, { recursive: true, force: true }));
}

function notOurs(path: string, hint: string): KataError {
  return new KataError("KATA_CONFIG", `${path} is there, and is not ours`, { hint });
}
