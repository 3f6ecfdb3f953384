import { parse, stringify, type TomlTable } from "smol-toml";

/** The versions of containerd's file that have the CRI plugin, and what it is called there. */
const PLUGINS: Readonly<Record<number, string>> = {
  2: "io.containerd.grpc.v1.cri",
  3: "io.containerd.cri.v1.runtime",
};

export const DEFAULT_VERSION = 2;

/** A runtime's section, whatever is in it. */
type Runtime = TomlTable;

export type Runtimes = Readonly<Record<string, Runtime>>;

/** Integers of containerd's file may not fit into a double. */
export function parseToml(text: string): TomlTable {
  return parse(text, { integersAsBigInt: "asNeeded" });
}

/** The version of the file's format; undefined for the first one, which does not say. */
export function versionOf(toml: TomlTable): number | undefined {
  return typeof toml.version === "number" ? toml.version : undefined;
}

export function isKnownVersion(version: number | undefined): version is number {
  return version !== undefined && PLUGINS[version] !== undefined;
}

/** The section that tells of some runtimes, as a file of that version has it. */
export function runtimesSection(version: number, runtimes: Runtimes): string {
  const plugin = PLUGINS[version] ?? "";
  return stringify({ plugins: { [plugin]: { containerd: { runtimes: { ...runtimes } } } } });
}

/** What the CRI plugin knows: its runtimes, and which of them is used unasked. */
export interface CriRuntimes {
  readonly runtimes: Runtimes;
  readonly defaultRuntime: string | undefined;
}

/** @param toml a file, or what `config dump` prints */
export function criRuntimes(toml: TomlTable): CriRuntimes {
  const found = Object.values(PLUGINS).map((plugin) => table(table(table(toml.plugins)[plugin]).containerd));
  const containerd = found.find((each) => Object.keys(each).length > 0) ?? {};
  const name = containerd.default_runtime_name;
  return {
    runtimes: table(containerd.runtimes) as Runtimes,
    defaultRuntime: typeof name === "string" ? name : undefined,
  };
}

/** All that a configuration says, but for one runtime and the names of the files that it was read from. */
export function withoutRuntime(toml: TomlTable, name: string): TomlTable {
  const withoutIt = (runtimes: TomlTable): TomlTable => without(runtimes, name);
  const ofPlugin = (plugin: TomlTable): TomlTable =>
    changed(plugin, "containerd", (containerd) => changed(containerd, "runtimes", withoutIt));
  return changed(without(toml, "imports"), "plugins", (plugins) =>
    Object.values(PLUGINS).reduce((all, plugin) => changed(all, plugin, ofPlugin), plugins),
  );
}

/** A copy in which one table is another, where it is there. */
function changed(toml: TomlTable, key: string, change: (inner: TomlTable) => TomlTable): TomlTable {
  return toml[key] === undefined ? toml : { ...toml, [key]: change(table(toml[key])) };
}

function without(toml: TomlTable, key: string): TomlTable {
  return Object.fromEntries(Object.entries(toml).filter(([name]) => name !== key));
}

function table(value: unknown): TomlTable {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as TomlTable) : {};
}
