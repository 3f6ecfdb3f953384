import { basename, dirname, resolve } from "node:path";
import { execa } from "execa";

/**
 * Makes bytecode of a bundle. It belongs to the very build of the engine that wrote it. Stacks name the bundle's files without their
 * directory: the same bundle gives the same bytes wherever it lies.
 *
 * @param modules those of a directory; the first runs, and imports the others as `./NAME`
 * @throws Error with the engine's own words for what it cannot parse
 */
export async function compileBundle(engine: string, modules: string | readonly string[], to: string): Promise<void> {
  const files = [modules].flat();
  const cwd = dirname(files[0] ?? ".");
  await execa(resolve(engine), ["--compile", ...files.map((file) => basename(file)), resolve(to)], { cwd });
}
