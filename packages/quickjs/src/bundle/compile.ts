import { basename, dirname, resolve } from "node:path";
import { execa } from "execa";

/**
 * Makes bytecode of a bundle. It belongs to the very build of the engine that wrote it. Stacks name the bundle's file without its
 * directory: the same bundle gives the same bytes wherever it lies.
 *
 * @throws Error with the engine's own words for what it cannot parse
 */
export async function compileBundle(engine: string, from: string, to: string): Promise<void> {
  await execa(resolve(engine), ["--compile", basename(from), resolve(to)], { cwd: dirname(from) });
}
