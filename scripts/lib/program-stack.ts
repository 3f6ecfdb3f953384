import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleAgentText } from "./bundle-agent.ts";
import { commit } from "./bundle-programs.ts";
import { bundleProgram } from "./engine-programs.ts";
import { engineProgram } from "./place-programs.ts";
import { mapsByName, translateStack } from "./translate-stack.ts";
import { type FoundMap, TypescriptMaps } from "./typescript-maps.ts";

/**
 * Names the places of stacks by files and lines of our TypeScript. The program's bundle is made again, with maps: it has to be of this very source.
 *
 * @param program by its name, such as kata-shim; @param text a log with stacks in it
 * @throws Error for what is no program that runs on the engine
 */
export async function translateProgramStack(program: string, text: string): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), "kata-ts-maps-"));
  try {
    const maps = program === "kata-agent" ? await mapsOfAgent(work) : await mapsOf(program, work);
    return await translateStack(text, maps, new TypescriptMaps(join(work, "compiled")));
  } finally {
    await rm(work, { recursive: true });
  }
}

async function mapsOfAgent(work: string): Promise<ReadonlyMap<string, FoundMap>> {
  const file = join(work, "agent.js");
  await bundleAgentText(file, "external");
  return mapsByName([file], [file]);
}

async function mapsOf(program: string, work: string): Promise<ReadonlyMap<string, FoundMap>> {
  const options = engineProgram(program, { KATA_TS_COMMIT: JSON.stringify(await commit()) });
  const { modules } = await bundleProgram(options, join(work, "modules"));
  const { modules: mapped } = await bundleProgram({ ...options, sourcemap: "external" }, join(work, "mapped"));
  return mapsByName(modules, mapped);
}
