import { parse } from "smol-toml";
import * as z from "zod/mini";
import { CheckError, checked } from "../checked.ts";
import { type ConfigurationFile, type LoadedOptions, wrongFile } from "./loaded-options.ts";
import { type Options, optionsSchema } from "./options.ts";

type Table = Readonly<Record<string, unknown>>;

/** @throws KataError KATA_CONFIG naming the file and the option */
export function checkFiles(files: readonly ConfigurationFile[]): LoadedOptions {
  // Each is checked by itself, so that an error names its file; together they are as right as apart.
  const tables = files.map((file) => ({ path: file.path, ...check(file) }));
  return {
    options: tables.map(({ options }) => options as Table).reduce(merge, {}),
    files,
    warnings: tables.flatMap(({ path, table, options }) => [
      ...lost(table, options).map((name) => `${path}: unknown option ${name} is ignored`),
      ...dangers(options).map((danger) => `${path}: ${danger}`),
    ]),
  };
}

function check({ path, text }: ConfigurationFile): { readonly table: Table; readonly options: Options } {
  try {
    const table = parse(text);
    refuseOtherHypervisor(table);
    return { table, options: checked(optionsSchema, table) };
  } catch (error) {
    const reason =
      error instanceof CheckError ? z.prettifyError(error).replaceAll("\n", " ") : (error as Error).message;
    throw wrongFile(path, reason, error);
  }
}

/** A file that configures another hypervisor only must not count as empty. */
function refuseOtherHypervisor({ hypervisor }: Table): void {
  if (!isTable(hypervisor) || Object.hasOwn(hypervisor, "qemu")) return;
  const [other] = Object.keys(hypervisor);
  if (other === undefined) return;
  throw new Error(`it configures the hypervisor ${other} only; this runtime has QEMU: [hypervisor.qemu]`);
}

/** What an option takes away of what keeps guests from the host. */
function dangers({ hypervisor }: Options): string[] {
  if (hypervisor?.qemu?.confine_qemu !== false) return [];
  return ["confine_qemu = false: a guest that takes its QEMU over is root among this host's files"];
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
