import { execa } from "execa";

/**
 * Makes bytecode of a bundle. It belongs to the very build of the engine that wrote it.
 *
 * @throws Error with the engine's own words for what it cannot parse
 */
export async function compileBundle(engine: string, from: string, to: string): Promise<void> {
  await execa(engine, ["--compile", from, to]);
}
