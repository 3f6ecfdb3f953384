import { readFile } from "node:fs/promises";
import { SourceMap, type SourceMapPayload } from "node:module";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { ROOT } from "./paths.ts";

const COMPILED = /\/packages\/([\w-]+)\/dist\/(.+\.js)$/;

/** A map, and the directory that its sources are named from. */
export interface FoundMap {
  readonly map: SourceMap;
  readonly directory: string;
}

/** Maps from what packages are compiled to, which has none, to their TypeScript: a package is compiled anew once one of its files is asked for. */
export class TypescriptMaps {
  readonly #directory: string;
  readonly #compiled: Map<string, Promise<string>> = new Map();

  /** @param directory for what is compiled */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Of a compiled file of a package; undefined for another file. */
  async mapOf(path: string): Promise<FoundMap | undefined> {
    const [, name, file = ""] = COMPILED.exec(path) ?? [];
    if (name === undefined) return undefined;
    const compiling = this.#compiled.get(name) ?? this.#compile(name);
    this.#compiled.set(name, compiling);
    return readMap(join(await compiling, file));
  }

  async #compile(name: string): Promise<string> {
    const to = join(this.#directory, name);
    const project = join(ROOT, "packages", name, "tsconfig.build.json");
    const flags = ["--sourceMap", "--outDir", to, "--tsBuildInfoFile", join(to, ".tsbuildinfo")];
    await execa(join(ROOT, "node_modules/.bin/tsc"), ["-p", project, ...flags], { cwd: ROOT });
    return to;
  }
}

/** Of a file with its map beside it. */
export async function readMap(file: string): Promise<FoundMap> {
  const payload = JSON.parse(await readFile(`${file}.map`, "utf8")) as SourceMapPayload;
  return { map: new SourceMap(payload), directory: dirname(file) };
}
