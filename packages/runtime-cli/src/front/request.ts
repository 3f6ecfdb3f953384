import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { SpecMount, SpecResources } from "@kata-ts/agent-protocol";
import { type Options, UsageError } from "../arguments/parse.ts";
import { parseBytes } from "../verbs/update-options.ts";
import { checkNetwork, parsePorts } from "./network.ts";
import type { PortMapping } from "./network-note.ts";

/** What a command line asks for, without the image: understood, and found possible, before anything is fetched. */
export interface FrontRequest {
  readonly ports: readonly PortMapping[];
  readonly volumes: readonly SpecMount[];
  readonly resources: SpecResources;
  readonly env: readonly string[];
  readonly cwd: string | undefined;
  readonly user: string | undefined;
  readonly network: string | undefined;
  readonly tty: boolean;
  /** Of the output of a detached container. */
  readonly log: { readonly maxBytes: number; readonly maxFiles: number };
}

const PERIOD_US = 100_000;

/** @throws UsageError; NetnsError KATA_NETWORK where a network is asked for that this machine cannot make */
export function parseRequest(options: Options, env: NodeJS.ProcessEnv = process.env): FrontRequest {
  if (options.flag("detach") && options.flag("tty")) {
    throw new UsageError("--detach and --tty: a detached container has no terminal");
  }
  const ports = parsePorts(options.list("publish"));
  const network = options.text("network");
  checkNetwork(network, ports);
  const cwd = options.text("workdir");
  if (cwd?.startsWith("/") === false) throw new UsageError(`--workdir takes an absolute path, not "${cwd}"`);
  return {
    ports,
    volumes: options.list("volume").map(parseVolume),
    resources: parseLimits(options),
    env: parseVariables(options.list("env"), env),
    cwd,
    user: options.text("user"),
    network,
    tty: options.flag("tty"),
    log: parseLog(options),
  };
}

const MAX_FILES = 100;

/** Docker's `max-size` and `max-file`. */
function parseLog(options: Options): FrontRequest["log"] {
  const given = new Map(options.list("log-opt").map((text) => splitOnce(text)));
  for (const name of given.keys()) {
    if (name !== "max-size" && name !== "max-file")
      throw new UsageError(`--log-opt knows max-size and max-file, not "${name}"`);
  }
  if (given.size > 0 && !options.flag("detach"))
    throw new UsageError("--log-opt is for --detach: there is no log of others");
  const maxFiles = given.get("max-file") ?? "3";
  if (!/^[1-9]\d*$/.test(maxFiles) || Number(maxFiles) > MAX_FILES) {
    throw new UsageError(`--log-opt max-file takes a number from 1 to ${String(MAX_FILES)}, not "${maxFiles}"`);
  }
  const maxBytes = parseBytes(given.get("max-size") ?? "10m", "log-opt max-size");
  if (maxBytes <= 0) throw new UsageError("--log-opt max-size takes a size above 0");
  return { maxBytes, maxFiles: Number(maxFiles) };
}

function splitOnce(text: string): [string, string] {
  const place = text.indexOf("=");
  return place === -1 ? [text, ""] : [text.slice(0, place), text.slice(place + 1)];
}

/** `NAME=VALUE`; a NAME alone has the value that it has here, and is left out where it has none. @throws UsageError */
export function parseVariables(texts: readonly string[], env: NodeJS.ProcessEnv = process.env): string[] {
  return texts.flatMap((text) => {
    if (text === "" || text.startsWith("=")) throw new UsageError(`--env takes NAME=VALUE or NAME, not "${text}"`);
    if (text.includes("=")) return [text];
    const value = env[text];
    return value === undefined ? [] : [`${text}=${value}`];
  });
}

/** `FROM:TO[:ro]`. @throws UsageError */
function parseVolume(text: string): SpecMount {
  const [from = "", to = "", mode = "rw", ...more] = text.split(":");
  if (from === "" || !to.startsWith("/") || (mode !== "ro" && mode !== "rw") || more.length > 0) {
    throw new UsageError(`--volume takes FROM:TO or FROM:TO:ro, not "${text}"`);
  }
  const source = resolve(from);
  if (statSync(source, { throwIfNoEntry: false }) === undefined) {
    throw new UsageError(`--volume ${text}: there is no ${source}`);
  }
  return { source, destination: to, type: "bind", options: ["rbind", mode] };
}

function parseLimits(options: Options): SpecResources {
  const memory = options.text("memory");
  const cpus = options.text("cpus");
  if (cpus !== undefined && (!/^\d{1,3}(?:\.\d{1,3})?$/.test(cpus) || Number(cpus) === 0)) {
    throw new UsageError(`--cpus takes a number above 0, not "${cpus}"`);
  }
  return {
    ...(memory === undefined ? {} : { memory: { limit: parseBytes(memory, "memory") } }),
    ...(cpus === undefined ? {} : { cpu: { quota: Math.round(Number(cpus) * PERIOD_US), period: PERIOD_US } }),
  };
}
