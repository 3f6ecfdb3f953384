import { parseArgs } from "node:util";

/** kata-proxy's command line. The single dashes and the names are the original's; `-vm` and `-control-fd` are ours. */
export interface ProxyFlags {
  readonly listenSocket: string;
  readonly muxSocket: string;
  readonly sandbox: string;
  readonly debug: boolean;
  readonly version: boolean;
  /** A VmSpec as JSON: start that VM and watch over it. */
  readonly vm: string | undefined;
  /** A descriptor on which the start's outcome is told and the commit awaited. */
  readonly controlFd: number | undefined;
}

const OPTIONS = {
  "listen-socket": { type: "string", default: "" },
  "mux-socket": { type: "string", default: "" },
  sandbox: { type: "string", default: "" },
  log: { type: "string" },
  "agent-logs-socket": { type: "string" },
  vm: { type: "string" },
  "control-fd": { type: "string" },
  debug: { type: "boolean", default: false },
  version: { type: "boolean", default: false },
} as const;

/** Go's flag syntax: `-name value`, `-name=value`, one or two dashes. @throws TypeError on an unknown flag */
export function parseFlags(argv: readonly string[]): ProxyFlags {
  const args = argv.map((arg) => arg.replace(/^-(?=[a-z])/, "--"));
  const { values } = parseArgs({ args, options: OPTIONS, strict: true });
  return {
    listenSocket: values["listen-socket"].replace(/^unix:(\/\/)?/, ""),
    muxSocket: values["mux-socket"],
    sandbox: values.sandbox,
    debug: values.debug,
    version: values.version,
    vm: values.vm,
    controlFd: values["control-fd"] === undefined ? undefined : Number(values["control-fd"]),
  };
}
