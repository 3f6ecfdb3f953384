import { parseArgs } from "node:util";

/** kata-proxy's command line. The single dashes and the names are the original's; `-vm`, `-control-fd`, `-take-back` and `-abandoned` are ours. */
export interface ProxyFlags {
  readonly listenSocket: string;
  readonly muxSocket: string;
  readonly sandbox: string;
  readonly debug: boolean;
  readonly version: boolean;
  /** A VmSpec as JSON: start that VM and watch over it. */
  readonly vm: string | undefined;
  /** The directory of a VM that has ended: take back what it has changed on the host. */
  readonly takeBack: string | undefined;
  /** Remove that directory, too. */
  readonly abandoned: boolean;
  /** A descriptor to write the start's outcome to, and to read the commit from. */
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
  "take-back": { type: "string" },
  abandoned: { type: "boolean", default: false },
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
    takeBack: values["take-back"],
    abandoned: values.abandoned,
    controlFd: values["control-fd"] === undefined ? undefined : Number(values["control-fd"]),
  };
}
