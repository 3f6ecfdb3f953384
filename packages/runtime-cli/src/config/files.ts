import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { KataError } from "@kata-ts/virtcontainers";
import { parse } from "smol-toml";
import * as z from "zod/mini";
import { CheckError, checked } from "../checked.ts";
import { type Options, optionsSchema } from "./options.ts";

/** What configuration.toml and its drop-ins say. */
export interface GivenOptions {
  readonly options: Options;
  /** In the order in which they were read; a later one overrides. */
  readonly files: readonly string[];
  /** `FILE: unknown option NAME is ignored`. */
  readonly warnings: readonly string[];
}

type Table = Readonly<Record<string, unknown>>;

/**
 * Reads the file, and over it the drop-ins `config.d/*.toml` beside it in the order of their names.
 *
 * @throws KataError KATA_CONFIG naming the file and the option
 */
export function readOptions(file: string | undefined): GivenOptions {
  if (file === undefined) return { options: {}, files: [], warnings: [] };
  const files = [file, ...dropIns(join(dirname(file), "config.d"))];
  // Each is checked by itself, so that an error names its file; together they are as right as apart.
  const tables = files.map((path) => ({ path, ...parseFile(path) }));
  return {
    options: tables.map(({ options }) => options as Table).reduce(merge),
    files,
    warnings: tables.flatMap(({ path, table, options }) =>
      lost(table, options).map((name) => `${path}: unknown option ${name} is ignored`),
    ),
  };
}

function dropIns(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith(".toml"));
    return names.sort().map((name) => join(directory, name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw new KataError("KATA_CONFIG", `configuration ${directory}: ${(error as Error).message}`, { cause: error });
  }
}

function parseFile(path: string): { readonly table: Table; readonly options: Options } {
  try {
    const table = parse(readFileSync(path, "utf8"));
    return { table, options: checked(optionsSchema, table) };
  } catch (error) {
    const reason =
      error instanceof CheckError ? z.prettifyError(error).replaceAll("\n", " ") : (error as Error).message;
    throw new KataError("KATA_CONFIG", `configuration ${path}: ${reason}`, {
      cause: error,
      hint: "see docs/configuration.md",
    });
  }
}

function merge(below: Table, above: Table): Table {
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const other = merged[key];
    merged[key] = isTable(value) && isTable(other) ? merge(other, value) : value;
  }
  return merged;
}

/** What checking has left out, by dotted names. */
function lost(given: Table, kept: object, prefix = ""): string[] {
  const known = new Map(Object.entries(kept));
  return Object.entries(given).flatMap(([key, value]) => {
    const name = `${prefix}${key}`;
    if (!known.has(key)) return [name];
    const below: unknown = known.get(key);
    return isTable(value) && isTable(below) ? lost(value, below, `${name}.`) : [];
  });
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
