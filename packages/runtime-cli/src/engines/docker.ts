import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { reasonOf } from "@kata-ts/virtcontainers";
import { leftAsItIs, readConfiguration, replaceConfiguration } from "./configuration-file.ts";
import type { ContainerdShim } from "./containerd.ts";
import { askEngine, EngineError, engineMissing } from "./engine-program.ts";

const NAME = "kata";
const OLD_DOCKER = { hint: "leave out --shim v2" } as const;

/** Where dockerd's configuration is, and the program that reads it. */
export interface DockerFile {
  readonly file: string;
  readonly program: string;
}

interface DaemonJson {
  readonly runtimes?: Readonly<Record<string, unknown>>;
  readonly "default-runtime"?: unknown;
}

export function dockerSnippet(runtime: string, _file: string, shim: ContainerdShim = "runc"): string {
  return text({ runtimes: { [NAME]: entry(runtime, shim) } });
}

/** Adds our runtime to daemon.json. @throws KataError KATA_CONFIG; the file is left as it is */
export async function writeDocker(docker: DockerFile, runtime: string, shim: ContainerdShim = "runc"): Promise<void> {
  const { file } = docker;
  const before = readDaemonJson(file);
  const after = { ...before, runtimes: { ...before.runtimes, [NAME]: entry(runtime, shim) } };
  await replaceConfiguration(file, text(after), (candidate) => validate(docker, candidate, shim));
}

/** What daemon.json says of our runtime. A shim goes by its path: that of Kata Containers has the same name. */
function entry(runtime: string, shim: ContainerdShim): Readonly<Record<string, string>> {
  return shim === "v2" ? { runtimeType: join(dirname(runtime), "containerd-shim-kata-v2") } : { path: runtime };
}

/** Takes our runtime out. @returns whether it was there. @throws KataError KATA_CONFIG; the file is left as it is */
export async function removeDocker(docker: DockerFile): Promise<boolean> {
  const { file } = docker;
  const { runtimes = {}, ...rest } = readDaemonJson(file);
  if (!(NAME in runtimes)) return false;
  if (rest["default-runtime"] === NAME) {
    throw leftAsItIs(file, `default-runtime is ${NAME}`, { hint: "name another runtime first" });
  }
  const others = Object.fromEntries(Object.entries(runtimes).filter(([name]) => name !== NAME));
  const after = Object.keys(others).length === 0 ? rest : { ...rest, runtimes: others };
  if (Object.keys(after).length === 0) rmSync(file);
  else await replaceConfiguration(file, text(after), (candidate) => validate(docker, candidate, "runc"));
  return true;
}

/** Before Docker 23 dockerd could not be asked, and knew no shims of others. */
async function validate({ file, program }: DockerFile, candidate: string, shim: ContainerdShim): Promise<void> {
  try {
    await askEngine(program, ["--validate", "--config-file", candidate]);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (error.isMissing) throw engineMissing(program, error);
    if (!error.message.includes("unknown flag: --validate")) throw leftAsItIs(file, error.message, { cause: error });
    if (shim === "v2") throw leftAsItIs(file, `${program} is older than Docker 23, and has no runtimeType`, OLD_DOCKER);
  }
}

function readDaemonJson(file: string): DaemonJson {
  const content = readConfiguration(file) ?? "";
  if (content.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw leftAsItIs(file, reasonOf(error), { cause: error });
  }
  if (!isObject(value)) throw leftAsItIs(file, "it is no JSON object");
  if (!isObject(value.runtimes ?? {})) throw leftAsItIs(file, "runtimes is no JSON object");
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: DaemonJson): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
