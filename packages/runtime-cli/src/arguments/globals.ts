import { resolve } from "node:path";
import type { RuntimeContext } from "@kata-ts/runtime";
import { type OptionTable, parseLeading, UsageError } from "./parse.ts";

export const GLOBAL_OPTIONS: OptionTable = {
  root: { type: "string", value: "DIR", about: "where container records are kept, /run/kata-ts/containers by default" },
  log: { type: "string", value: "FILE", about: "append log entries to this file" },
  "log-format": { type: "string", value: "FORMAT", about: "text or json" },
  debug: { type: "boolean", about: "log each step" },
  timing: { type: "boolean", about: "show at the end when each step was done" },
  "systemd-cgroup": { type: "boolean", about: "systemd makes the scope that cgroupsPath names: slice:prefix:name" },
  rootless: { type: "string", value: "X", about: "for callers of runc: not used" },
  criu: { type: "string", value: "PATH", about: "for callers of runc: not used" },
  config: { type: "string", value: "FILE", about: "configuration.toml to use" },
  "kata-config": { type: "string", value: "FILE", about: "the same" },
  "kata-show-default-config-paths": { type: "boolean", about: "show where configuration.toml is searched" },
  "show-default-config-paths": { type: "boolean", about: "the same" },
  version: { type: "boolean", short: "v", about: "show the version" },
  help: { type: "boolean", short: "h", about: "show this" },
};

const DEFAULT_ROOT = "/run/kata-ts/containers";

/** What stands before the verb. */
export interface GlobalArguments {
  readonly root: string;
  readonly log: string | undefined;
  readonly logFormat: "text" | "json";
  readonly debug: boolean;
  readonly timing: boolean;
  readonly systemdCgroup: boolean;
  readonly config: string | undefined;
  readonly version: boolean;
  readonly help: boolean;
  readonly showConfigPaths: boolean;
  readonly verb: string | undefined;
  /** What stands after the verb. */
  readonly rest: readonly string[];
}

/** The part of them that the runtime works by. */
export function runtimeSettings({
  root,
  config,
  systemdCgroup,
  log,
  logFormat,
}: GlobalArguments): Pick<RuntimeContext, "root" | "config" | "systemdCgroup" | "logOptions"> {
  const logOptions = log === undefined ? [] : ["--log", resolve(log), "--log-format", logFormat];
  return { root, config, systemdCgroup, logOptions };
}

/** @throws UsageError */
export function parseGlobals(argv: readonly string[]): GlobalArguments {
  const { options, words } = parseLeading(argv, GLOBAL_OPTIONS);
  const [verb, ...rest] = words;
  const logFormat = options.text("log-format") ?? "text";
  if (logFormat !== "text" && logFormat !== "json") throw new UsageError(`unknown log-format "${logFormat}"`);
  return {
    root: options.text("root") ?? DEFAULT_ROOT,
    log: options.text("log"),
    logFormat,
    debug: options.flag("debug"),
    timing: options.flag("timing"),
    systemdCgroup: options.flag("systemd-cgroup"),
    config: options.text("config") ?? options.text("kata-config"),
    version: options.flag("version"),
    help: options.flag("help"),
    showConfigPaths: options.flag("kata-show-default-config-paths") || options.flag("show-default-config-paths"),
    verb,
    rest,
  };
}
