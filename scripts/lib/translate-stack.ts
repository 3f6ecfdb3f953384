import { readFile } from "node:fs/promises";
import { basename, relative, resolve } from "node:path";
import { ROOT } from "./paths.ts";
import { type FoundMap, readMap, type TypescriptMaps } from "./typescript-maps.ts";

/** As the engine writes a place: a module of the program, a line and a column. */
const PLACE = /\b([\w-]+\.js):(\d+):(\d+)/g;
const DIGEST = /\bpart-[A-Z0-9]{8}\b/g;

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Finds the maps of a bundle. Its parts are named by digests, which are others where it is made with maps: parts are known by their text.
 *
 * @param modules of the bundle as a program has it; @param mapped those of the same one with maps beside them
 */
export async function mapsByName(
  modules: readonly string[],
  mapped: readonly string[],
): Promise<Map<string, FoundMap>> {
  const byText: Map<string, string> = new Map();
  for (const path of mapped) byText.set(await textWithoutDigests(path), path);
  const maps: Map<string, FoundMap> = new Map();
  for (const module of modules) {
    const path = byText.get(await textWithoutDigests(module));
    // What does no more than import the others has none.
    const found = path === undefined ? undefined : await readMap(path).catch(() => undefined);
    if (found !== undefined) maps.set(basename(module), found);
  }
  return maps;
}

async function textWithoutDigests(path: string): Promise<string> {
  return (await readFile(path, "utf8")).replace(DIGEST, "part");
}

/** A log with stacks in it, whose places are those of the sources. What is in no map stays as it is. */
export async function translateStack(
  text: string,
  maps: ReadonlyMap<string, FoundMap>,
  typescript: TypescriptMaps,
): Promise<string> {
  const parts: string[] = [];
  let end = 0;
  for (const { 0: place, 1: module = "", 2: line, 3: column, index } of text.matchAll(PLACE)) {
    const compiled = originOf({ file: module, line: Number(line), column: Number(column) }, maps.get(module));
    const source = compiled && (originOf(compiled, await typescript.mapOf(compiled.file)) ?? compiled);
    parts.push(text.slice(end, index), source === undefined ? place : textOf(source));
    end = index + place.length;
  }
  return [...parts, text.slice(end)].join("");
}

function originOf({ line, column }: Place, found: FoundMap | undefined): Place | undefined {
  const entry = found?.map.findEntry(line - 1, column - 1);
  if (found === undefined || entry === undefined || !("originalSource" in entry)) return undefined;
  const file = resolve(found.directory, entry.originalSource);
  return { file, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}

function textOf({ file, line, column }: Place): string {
  return `${relative(ROOT, file)}:${String(line)}:${String(column)}`;
}
