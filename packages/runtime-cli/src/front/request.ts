import type { SpecResources } from "@kata-ts/agent-protocol";
import { type Options, UsageError } from "../arguments/parse.ts";
import { parseBytes } from "../verbs/update-options.ts";
import { type ContainerRequest, parseContainerOptions } from "./container-options.ts";
import { parseUser } from "./exec-user.ts";
import { type NetworkRequest, parseNetwork } from "./network-request.ts";
import { parseVariables, readVariableFiles } from "./variables.ts";

/** What a command line asks for, without the image: understood, and found possible, before anything is fetched. */
export interface FrontRequest extends ContainerRequest {
  readonly resources: SpecResources;
  readonly env: readonly string[];
  readonly cwd: string | undefined;
  readonly user: string | undefined;
  readonly network: NetworkRequest;
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
  if (options.flag("detach") && options.flag("interactive")) {
    throw new UsageError("--detach and --interactive: nothing can be typed to a detached container");
  }
  const network = parseNetwork(options);
  const cwd = options.text("workdir");
  if (cwd?.startsWith("/") === false) throw new UsageError(`--workdir takes an absolute path, not "${cwd}"`);
  return {
    ...parseContainerOptions(options),
    resources: parseLimits(options),
    env: [...readVariableFiles(options.list("env-file"), env), ...parseVariables(options.list("env"), env)],
    cwd,
    user: parseUser(options.text("user")),
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
