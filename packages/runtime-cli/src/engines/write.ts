import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { KataError, reasonOf } from "@kata-ts/virtcontainers";
import type { Engine, EngineSnippet } from "./snippets.ts";

/**
 * Writes an engine's configuration. Docker has one file for everything: ours is added to what is in it. The others read
 * a file of our own.
 *
 * @throws KataError KATA_CONFIG where the file there cannot be understood; it is left as it is
 */
export function writeSnippet(engine: Engine, { text }: EngineSnippet, file: string): void {
  const content = engine === "docker" ? merged(file, text) : text;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.kata-ts`, content);
  renameSync(`${file}.kata-ts`, file);
}

interface DaemonJson {
  readonly runtimes?: Readonly<Record<string, unknown>>;
}

function merged(file: string, text: string): string {
  const before = readDaemonJson(file);
  const ours = JSON.parse(text) as DaemonJson;
  return `${JSON.stringify({ ...before, runtimes: { ...before.runtimes, ...ours.runtimes } }, null, 2)}\n`;
}

function readDaemonJson(file: string): DaemonJson {
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text) as DaemonJson;
  } catch (error) {
    throw new KataError("KATA_CONFIG", `${file}: ${reasonOf(error)}`, {
      cause: error,
      hint: "it is left as it is: repair it, or add what the command prints without --write",
    });
  }
}
