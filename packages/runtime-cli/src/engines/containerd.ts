import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { reasonOf } from "@kata-ts/virtcontainers";
import type { TomlTable } from "smol-toml";
import { leftAsItIs, readConfiguration, replaceConfiguration, tryConfiguration } from "./configuration-file.ts";
import {
  criRuntimes,
  DEFAULT_VERSION,
  isKnownVersion,
  parseToml,
  type Runtimes,
  runtimesSection,
  versionOf,
  withoutRuntime,
} from "./containerd-sections.ts";
import { askEngine, EngineError, engineMissing } from "./engine-program.ts";
import { hasBlock, withBlock, withoutBlock } from "./marked-block.ts";

const NAME = "kata";

/** What containerd starts for a pod: its own shim for runc, which calls our runtime, or our own. */
export type ContainerdShim = "runc" | "v2";

/** Where containerd's configuration is, and the program that reads it. */
export interface ContainerdFile {
  readonly file: string;
  readonly program: string;
}

/** What containerd is to be told of this runtime, in the version of the format that its file has. */
export function containerdSnippet(runtime: string, file: string, shim: ContainerdShim = "runc"): string {
  const text = readConfiguration(file) ?? "";
  const version = text.trim() === "" ? DEFAULT_VERSION : checkedVersion(file, text);
  return runtimesSection(version, { [NAME]: section(runtime, shim, false) });
}

/**
 * Adds our runtime to containerd's configuration, between two comments. What containerd makes of the new file is compared
 * with what it makes of the old one before that is replaced: nothing but our runtime may differ. Where the file has no
 * runtimes of its own, containerd 1 forgets its built-in ones as soon as one is added, and its CRI plugin no longer loads:
 * those are written down, too.
 *
 * @throws KataError KATA_CONFIG; the file is left as it is
 */
export async function writeContainerd(
  containerd: ContainerdFile,
  runtime: string,
  shim: ContainerdShim = "runc",
): Promise<void> {
  const { file } = containerd;
  const text = withoutBlock(readConfiguration(file) ?? "");
  const isNew = text.trim() === "";
  const version = isNew ? await defaultVersion(containerd) : checkedVersion(file, text);
  if (NAME in criRuntimes(parsed(file, text)).runtimes) throw leftAsItIs(file, `a runtime ${NAME} is there already`);
  const head = isNew ? `version = ${String(version)}\n` : "";
  const before = await dumpOf(containerd, `${head}${text}`);
  const ours = { [NAME]: section(runtime, shim, usesSystemd(before)) };
  const compose = (runtimes: Runtimes): string => withBlock(text, `${head}${runtimesSection(version, runtimes)}`);
  const lost = lostRuntimes(before, await dumpOf(containerd, compose(ours)));
  const content = compose({ ...lost, ...ours });
  await replaceConfiguration(file, content, async (candidate) => {
    const after = await dump(containerd, candidate);
    if (!(NAME in criRuntimes(after).runtimes)) {
      throw leftAsItIs(
        file,
        `containerd would not see the runtime: a file that it imports replaces all of the plugin`,
        {
          hint: "add what the command prints without --write to that file",
        },
      );
    }
    checkUnchanged(file, before, after);
  });
}

/**
 * Takes out what writeContainerd has put in; the file, too, where nothing else is in it.
 *
 * @returns whether there was anything. @throws KataError KATA_CONFIG where the rest would mean something else
 */
export async function removeContainerd(containerd: ContainerdFile): Promise<boolean> {
  const { file } = containerd;
  const text = readConfiguration(file) ?? "";
  if (!hasBlock(text)) {
    if (!(NAME in criRuntimes(parsed(file, text)).runtimes)) return false;
    throw leftAsItIs(file, `its runtime ${NAME} is not between the comments that the command writes`, {
      hint: "take it out by hand",
    });
  }
  const rest = withoutBlock(text);
  if (rest.trim() === "") {
    rmSync(file);
    return true;
  }
  const before = await dump(containerd, file);
  if (criRuntimes(before).defaultRuntime === NAME) {
    throw leftAsItIs(file, `default_runtime_name is ${NAME}`, { hint: "name another runtime first" });
  }
  await replaceConfiguration(file, rest, async (candidate) => {
    checkUnchanged(file, before, await dump(containerd, candidate));
  });
  return true;
}

function section(runtime: string, shim: ContainerdShim, systemd: boolean): TomlTable {
  const common = { privileged_without_host_devices: true, pod_annotations: ["io.katacontainers.*"] };
  // Ours sees from the path of a pod's cgroup whether systemd makes it.
  if (shim === "v2") {
    const path = join(dirname(runtime), "containerd-shim-kata-v2");
    return { runtime_type: "io.containerd.kata.v2", runtime_path: path, ...common };
  }
  const options = { BinaryName: runtime, ...(systemd ? { SystemdCgroup: true } : {}) };
  return { runtime_type: "io.containerd.runc.v2", ...common, options };
}

/** One driver of cgroups for all runtimes of a node: the kubelet's. */
function usesSystemd(dump: TomlTable): boolean {
  const { runtimes, defaultRuntime } = criRuntimes(dump);
  const options = runtimes[defaultRuntime ?? ""]?.options as TomlTable | undefined;
  return options?.SystemdCgroup === true;
}

function lostRuntimes(before: TomlTable, after: TomlTable): Runtimes {
  const kept = criRuntimes(after).runtimes;
  return Object.fromEntries(Object.entries(criRuntimes(before).runtimes).filter(([name]) => !(name in kept)));
}

function checkUnchanged(file: string, before: TomlTable, after: TomlTable): void {
  if (isDeepStrictEqual(withoutRuntime(before, NAME), withoutRuntime(after, NAME))) return;
  throw leftAsItIs(file, "containerd would read other things differently, too");
}

function checkedVersion(file: string, text: string): number {
  const version = versionOf(parsed(file, text));
  if (!isKnownVersion(version)) throw leftAsItIs(file, `its format is not version 2 or 3`);
  return version;
}

function parsed(file: string, text: string): TomlTable {
  try {
    return parseToml(text);
  } catch (error) {
    throw leftAsItIs(file, reasonOf(error), { cause: error });
  }
}

/** That of the file which containerd itself would write. */
async function defaultVersion({ program }: ContainerdFile): Promise<number> {
  const version = versionOf(await answer(program, ["config", "default"], program));
  return isKnownVersion(version) ? version : DEFAULT_VERSION;
}

/** An error names the file that the user knows, not the temporary one. */
function dump({ program, file }: ContainerdFile, candidate: string): Promise<TomlTable> {
  return answer(program, ["--config", candidate, "config", "dump"], file);
}

/** What containerd makes of a text that stands where its file does. */
function dumpOf(containerd: ContainerdFile, text: string): Promise<TomlTable> {
  return tryConfiguration(containerd.file, text, (candidate) => dump(containerd, candidate));
}

async function answer(program: string, args: readonly string[], what: string): Promise<TomlTable> {
  try {
    return parseToml(await askEngine(program, args));
  } catch (error) {
    if (error instanceof EngineError && error.isMissing) throw engineMissing(program, error);
    throw leftAsItIs(what, reasonOf(error), { cause: error });
  }
}
