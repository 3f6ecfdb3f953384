import { readFileSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { parseJson, type RuntimeSpec, type SpecProcess, type SpecResources } from "@kata-ts/agent-protocol";
import { KataError } from "@kata-ts/virtcontainers";
import type * as z from "zod/mini";
import { CheckError, checked } from "../checked.ts";
import { processSchema, resourcesSchema, specSchema } from "./schema.ts";

export interface Bundle {
  /** Absolute. */
  readonly path: string;
  /** Absolute path of the root file system on the host. */
  readonly rootfs: string;
  readonly spec: RuntimeSpec;
}

const CONFIG = "config.json";

/** Reads a bundle and checks what can be checked before anything is made. @throws KataError KATA_CONFIG */
export function loadBundle(directory: string): Bundle {
  const path = resolve(directory);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new KataError("KATA_CONFIG", `bundle ${path}: no such directory`);
  }
  return checkedBundle(path, loadSpec(path));
}

/** As loadBundle, where config.json need not be read. @param path absolute */
export function checkedBundle(path: string, spec: RuntimeSpec): Bundle {
  checkProcess(spec.process);
  return { path, rootfs: findRootfs(path, spec), spec };
}

/** config.json of a bundle. @throws KataError KATA_CONFIG */
export function loadSpec(bundle: string): RuntimeSpec {
  const text = read(join(bundle, CONFIG));
  const spec = validate(specSchema, text, CONFIG) as RuntimeSpec;
  if (!/^1\.\d+\.\d+/.test(spec.ociVersion)) {
    throw new KataError("KATA_CONFIG", `${CONFIG}: ociVersion "${spec.ociVersion}" is not supported`, {
      hint: "versions 1.x of the OCI runtime specification are",
    });
  }
  return dropNulls(spec);
}

/** process.json of `exec --process`. @throws KataError KATA_CONFIG */
export function loadProcess(file: string): SpecProcess {
  return parseProcess(read(file), file);
}

/** As loadProcess, for its text. @param name of its source, for errors */
export function parseProcess(text: string, name: string): SpecProcess {
  const process = dropNulls(validate(processSchema, text, name) as SpecProcess);
  checkProcess(process);
  return process;
}

/** linux.resources, for `update`. @throws KataError KATA_CONFIG */
export function parseResources(text: string, name: string): SpecResources {
  return dropNulls(validate(resourcesSchema, text, name) as SpecResources);
}

function checkProcess(process: SpecProcess | undefined): void {
  if (process === undefined) throw new KataError("KATA_CONFIG", `${CONFIG}: process must be set`);
  if (process.args === undefined || process.args.length === 0) {
    throw new KataError("KATA_CONFIG", "process.args must not be empty");
  }
  if (!isAbsolute(process.cwd))
    throw new KataError("KATA_CONFIG", `process.cwd "${process.cwd}" must be an absolute path`);
}

function findRootfs(bundle: string, spec: RuntimeSpec): string {
  const path = resolve(bundle, spec.root?.path ?? "");
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) {
    throw new KataError("KATA_CONFIG", `rootfs (${path}) does not exist, or is not a directory`);
  }
  return realpathSync(path);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new KataError("KATA_CONFIG", `JSON specification file ${file} not found`, { cause: error });
  }
}

function validate(schema: z.ZodMiniType, text: string, file: string): unknown {
  try {
    return checked(schema, parseJson(text));
  } catch (error) {
    const reason = error instanceof CheckError ? firstIssue(error) : (error as Error).message;
    throw new KataError("KATA_CONFIG", `${file}: ${reason}`, { cause: error });
  }
}

function firstIssue(error: CheckError): string {
  const issue = error.issues[0];
  return issue === undefined ? error.message : `${issue.path.join(".")}: ${issue.message}`;
}

/** Engines written in Go write `null` for what is not set. */
function dropNulls<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => dropNulls(item)) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, dropNulls<unknown>(item)])) as T;
}
