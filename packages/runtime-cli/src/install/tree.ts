import { mkdir, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { KataError } from "@kata-ts/virtcontainers/records";
import { copyTree } from "./copy-tree.ts";

/** What an installation consists of, below its prefix: directories of ours, and programs beside others'. */
const DIRECTORIES = [join("libexec", "kata-ts"), join("share", "kata-ts")];
/** By which a directory, or a program, is known as ours, before it is replaced or removed. */
const MARK = join("libexec", "kata-ts", "kata-proxy");
const AWAY = "move it away, or install below another prefix";
const PROGRAMS: readonly Program[] = ["kata-runtime", "containerd-shim-kata-v2"].map((name) => ({
  path: join("bin", name),
  mark: MARK,
  hint: AWAY,
}));
/** With what runs it a part of its own, which need not be there. */
const COMMAND: Program = {
  path: join("bin", "kata"),
  mark: join("libexec", "kata-ts", "kata.mjs"),
  hint: "move it away, or install from kata-ts.tar.gz alone, which is without kata",
};

interface Program {
  readonly path: string;
  /** Where this is, a program of that name is ours: others may have one, too, such as the original Kata. */
  readonly mark: string;
  readonly hint: string;
}

/**
 * Copies an installation to another prefix, over an older one where there is one: each part is copied beside its place
 * and then renamed into it. Containers that run go on with what they have loaded. `kata` is installed where the source has it.
 *
 * @throws KataError KATA_CONFIG where something that is not ours is in the way
 */
export async function installTree(source: string, prefix: string): Promise<void> {
  const target = resolve(prefix);
  if (target === resolve(source)) throw new KataError("KATA_CONFIG", `${target} is where this runs from already`);
  for (const part of DIRECTORIES) {
    const isInTheWay = (await exists(join(target, part))) && !(await exists(join(target, MARK)));
    if (isInTheWay) throw notOurs(join(target, part), AWAY);
  }
  const [hasCommand, hadCommand] = await Promise.all([source, target].map((tree) => exists(join(tree, COMMAND.mark))));
  const programs = [...PROGRAMS, ...(hasCommand === true ? [COMMAND] : [])];
  for (const { path, mark, hint } of programs) {
    const isInTheWay = (await exists(join(target, path))) && !(await exists(join(target, mark)));
    if (isInTheWay) throw notOurs(join(target, path), hint);
  }
  for (const part of [...DIRECTORIES, ...programs.map(({ path }) => path)]) {
    await place(join(source, part), join(target, part));
  }
  // What ran it has gone with the older installation.
  if (hadCommand === true && hasCommand !== true) await rm(join(target, COMMAND.path), { force: true });
}

/** Takes an installation away, and the directories that are empty then. @throws KataError KATA_CONFIG where there is none */
export async function uninstallTree(prefix: string): Promise<void> {
  const target = resolve(prefix);
  if (!(await exists(join(target, MARK)))) throw new KataError("KATA_CONFIG", `there is no kata-ts below ${target}`);
  const programs = [...PROGRAMS, ...((await exists(join(target, COMMAND.mark))) ? [COMMAND] : [])];
  for (const part of [...programs.map(({ path }) => path), ...DIRECTORIES])
    await rm(join(target, part), { recursive: true, force: true });
  for (const directory of ["bin", "libexec", "share", "."]) {
    const path = join(target, directory);
    const names = await readdir(path).catch(() => undefined);
    if (names?.length === 0) await rmdir(path);
  }
}

async function place(from: string, to: string): Promise<void> {
  const [fresh, old] = [`${to}.new`, `${to}.old`];
  await mkdir(dirname(to), { recursive: true });
  await rm(fresh, { recursive: true, force: true });
  copyTree(from, fresh);
  await rm(old, { recursive: true, force: true });
  if (await exists(to)) await rename(to, old);
  await rename(fresh, to);
  await rm(old, { recursive: true, force: true });
}

function notOurs(path: string, hint: string): KataError {
  return new KataError("KATA_CONFIG", `${path} is there, and is not ours`, { hint });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
