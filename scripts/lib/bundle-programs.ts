import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { copyKoffi } from "./koffi.ts";
import { DIST, ROOT } from "./paths.ts";
import { type ProgramParts, placePrograms } from "./place-programs.ts";

/**
 * Assembles the programs of the installable tree: bin, libexec, and what runs them.
 *
 * @param node a directory with a Node, and the library that it needs
 */
export async function bundlePrograms(node: string): Promise<ProgramParts> {
  const libexec = join(DIST, "libexec", "kata-ts");
  for (const directory of [libexec, join(DIST, "bin")]) {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
  }
  const koffi = await copyKoffi(join(libexec, "node_modules"));
  for (const file of ["node", "libatomic.so.1"]) await copyFile(join(node, file), join(libexec, file));
  const { npm, runners } = await placePrograms(DIST, { KATA_TS_COMMIT: JSON.stringify(await commit()) });
  return { npm: [...npm, ...koffi], runners };
}

export async function commit(): Promise<string> {
  const head = await execa("git", ["rev-parse", "--short", "HEAD"], { cwd: ROOT, reject: false });
  return head.failed ? "unknown" : head.stdout;
}
