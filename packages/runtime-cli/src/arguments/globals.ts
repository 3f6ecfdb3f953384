import { type OptionTable, parseLeading, UsageError } from "./parse.ts";

const OPTIONS: OptionTable = {
  root: { type: "string" },
  log: { type: "string" },
  "log-format": { type: "string" },
  debug: { type: "boolean" },
  "systemd-cgroup": { type: "boolean" },
  rootless: { type: "string" },
  criu: { type: "string" },
  config: { type: "string" },
  "kata-config": { type: "string" },
  "kata-show-default-config-paths": { type: "boolean" },
  version: { type: "boolean", short: "v" },
  help: { type: "boolean", short: "h" },
};

const DEFAULT_ROOT = "/run/kata-ts/containers";

/** What stands before the verb. */
export interface GlobalArguments {
  readonly root: string;
  readonly log: string | undefined;
  readonly logFormat: "text" | "json";
  readonly debug: boolean;
  readonly config: string | undefined;
  readonly version: boolean;
  readonly help: boolean;
  readonly showConfigPaths: boolean;
  readonly verb: string | undefined;
  /** What stands after the verb. */
  readonly rest: readonly string[];
}

/** @throws UsageError */
export function parseGlobals(argv: readonly string[]): GlobalArguments {
  const { options, words } = parseLeading(argv, OPTIONS);
  const [verb, ...rest] = words;
  const logFormat = options.text("log-format") ?? "text";
  if (logFormat !== "text" && logFormat !== "json") throw new UsageError(`unknown log-format "${logFormat}"`);
  return {
    root: options.text("root") ?? DEFAULT_ROOT,
    log: options.text("log"),
    logFormat,
    debug: options.flag("debug"),
    config: options.text("config") ?? options.text("kata-config"),
    version: options.flag("version"),
    help: options.flag("help"),
    showConfigPaths: options.flag("kata-show-default-config-paths"),
    verb,
    rest,
  };
}
