import { parseArgs } from "node:util";
import type { WindowSize } from "@kata-ts/linux";
import type { OutputFiles } from "./output-ring.ts";

/** kata-shim's command line. The single dashes and the names are the original's; the last ones, from `inContainer` on, are ours. */
export interface ShimFlags {
  /** `unix:///path`; empty when it comes over the control descriptor. */
  readonly agent: string;
  readonly container: string;
  readonly execId: string;
  readonly terminal: boolean;
  readonly proxyExitCode: boolean;
  readonly version: boolean;
  /** Whether the runtime makes the container's root file system this one's root, once it has connected. */
  readonly inContainer: boolean;
  readonly controlFd: number | undefined;
  /** Who gets the master of the process's terminal; without it our own descriptors are the terminal. */
  readonly consoleSocket: string | undefined;
  /** `ROWSxCOLUMNS` on the command line. */
  readonly consoleSize: WindowSize | undefined;
  /** Where both outputs go, instead of our descriptors. */
  readonly output: OutputFiles | undefined;
}

const OPTIONS = {
  agent: { type: "string", default: "" },
  container: { type: "string", default: "" },
  "exec-id": { type: "string" },
  // Go lets a boolean be switched off: `-proxy-exit-code=false`.
  "proxy-exit-code": { type: "string", default: "true" },
  log: { type: "string" },
  "agent-logs-socket": { type: "string" },
  "in-container": { type: "boolean", default: false },
  "control-fd": { type: "string" },
  "console-socket": { type: "string" },
  "console-size": { type: "string" },
  "output-file": { type: "string" },
  "output-bytes": { type: "string" },
  "output-files": { type: "string" },
  terminal: { type: "boolean", default: false },
  debug: { type: "boolean" },
  trace: { type: "boolean" },
  version: { type: "boolean", default: false },
} as const;

/** Go's flag syntax: `-name value`, `-name=value`, one or two dashes. @throws TypeError on an unknown flag */
export function parseFlags(argv: readonly string[]): ShimFlags {
  const args = argv.map((arg) => arg.replace(/^-(?=[a-z])/, "--"));
  const { values } = parseArgs({ args, options: OPTIONS, strict: true });
  return {
    agent: values.agent,
    container: values.container,
    execId: values["exec-id"] ?? values.container,
    terminal: values.terminal,
    proxyExitCode: values["proxy-exit-code"] !== "false",
    version: values.version,
    inContainer: values["in-container"],
    controlFd: values["control-fd"] === undefined ? undefined : Number(values["control-fd"]),
    consoleSocket: values["console-socket"],
    consoleSize: sizeOf(values["console-size"]),
    output: outputOf(values),
  };
}

function outputOf(values: Readonly<Record<string, unknown>>): OutputFiles | undefined {
  const path = values["output-file"];
  if (typeof path !== "string") return undefined;
  return { path, maxBytes: Number(values["output-bytes"]), maxFiles: Number(values["output-files"]) };
}

function sizeOf(text: string | undefined): WindowSize | undefined {
  const [rows, columns] = (text ?? "").split("x").map(Number);
  return rows === undefined || columns === undefined ? undefined : { rows, columns };
}
