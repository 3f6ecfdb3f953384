import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
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
  await warmCompileCache(libexec);
  return { npm: [...npm, ...koffi], runners };
}

export async function commit(): Promise<string> {
  const head = await execa("git", ["rev-parse", "--short", "HEAD"], { cwd: ROOT, reject: false });
  return head.failed ? "unknown" : head.stdout;
}

/** Node keeps compiled code of the bundles here; made now, because an installed tree may be read-only. Programs on QuickJS have none to keep. */
async function warmCompileCache(libexec: string): Promise<void> {
  await execa(join(DIST, "bin", "kata-runtime"), ["--version"]);
  await execa(join(DIST, "bin", "kata"), ["--help"]);
  for (const program of ["kata-proxy", "kata-shim"]) await execa(join(libexec, program), ["-version"]);
  await execa(join(DIST, "bin", "containerd-shim-kata-v2"), ["-v"]);
  for (const args of [
    ["list"],
    ["state", "none"],
    ["delete", "--force", "none"],
    ["create", "-b", "/nonexistent", "none"],
    ["exec", "none", "true"],
    ["kill", "none"],
  ]) {
    await execa(join(DIST, "bin", "kata-runtime"), ["--root", join(libexec, "no-root"), ...args], { reject: false });
  }
  if ((await readdir(join(libexec, "cache")).catch(() => [])).length === 0)
    throw new Error("no compile cache was made");
}
