import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { KataError, reasonOf } from "@kata-ts/virtcontainers";
import { parse } from "smol-toml";
import type { Engine, EngineSnippet } from "./snippets.ts";

/**
 * Writes an engine's configuration. Docker and containerd have one file for everything (a file that containerd imports
 * replaces all that is said of a plugin): ours is added to what is in it. The others read a file of our own.
 *
 * @throws KataError KATA_CONFIG where the file there cannot be understood; it is left as it is
 */
export function writeSnippet(engine: Engine, { text }: EngineSnippet, file: string): void {
  const content = engine === "docker" ? merged(file, text) : engine === "containerd" ? appended(file, text) : text;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.kata-ts`, content);
  renameSync(`${file}.kata-ts`, file);
}

/** The sections of containerd's configuration may stand in any order, each once. */
function appended(file: string, text: string): string {
  const before = readIfThere(file);
  if (before.trim() === "") return `version = 2\n\n${text}`;
  const { version } = parsed(file, before);
  if (version !== 2) throw refused(file, `its format is not version 2`);
  if (/\.runtimes\."?kata"?[.\]]/.test(before)) {
    throw refused(file, "a runtime kata is there already");
  }
  return `${before.trimEnd()}\n\n${text}`;
}

function parsed(file: string, text: string): { readonly version?: unknown } {
  try {
    return parse(text);
  } catch (error) {
    throw refused(file, reasonOf(error), error);
  }
}

function refused(file: string, why: string, cause?: unknown): KataError {
  return new KataError("KATA_CONFIG", `${file}: ${why}`, {
    cause,
    hint: "it is left as it is: repair it, or add what the command prints without --write",
  });
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
  const text = readIfThere(file);
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text) as DaemonJson;
  } catch (error) {
    throw refused(file, reasonOf(error), error);
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
