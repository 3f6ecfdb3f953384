/** kata-shim's command line. The single dashes and the names are the original's; `-root` and `-control-fd` are ours. */
export interface ShimFlags {
  /** `unix:///path`; empty when it is told over the control descriptor. */
  readonly agent: string;
  readonly container: string;
  readonly execId: string;
  readonly terminal: boolean;
  readonly proxyExitCode: boolean;
  readonly version: boolean;
  /** The host's path of the container's root file system, to live in. */
  readonly root: string | undefined;
  readonly controlFd: number | undefined;
}

const BOOLEANS: ReadonlySet<string> = new Set(["terminal", "debug", "trace", "proxy-exit-code", "version"]);
const VALUES: ReadonlySet<string> = new Set([
  "agent",
  "container",
  "exec-id",
  "log",
  "agent-logs-socket",
  "root",
  "control-fd",
]);

/** Go's flag syntax: `-name value`, `-name=value`, one or two dashes. @throws Error on an unknown flag */
export function parseFlags(argv: readonly string[]): ShimFlags {
  const given: Map<string, string> = new Map();
  for (let at = 0; at < argv.length; at++) {
    const match = /^--?([a-z-]+)(?:=(.*))?$/s.exec(argv[at] ?? "");
    const name = match?.[1] ?? "";
    if (BOOLEANS.has(name)) given.set(name, match?.[2] ?? "true");
    else if (VALUES.has(name)) given.set(name, match?.[2] ?? argv[++at] ?? "");
    else throw new Error(`kata-shim: unknown argument ${JSON.stringify(argv[at])}`);
  }
  const controlFd = given.get("control-fd");
  return {
    agent: given.get("agent") ?? "",
    container: given.get("container") ?? "",
    execId: given.get("exec-id") ?? given.get("container") ?? "",
    terminal: given.get("terminal") === "true",
    proxyExitCode: given.get("proxy-exit-code") !== "false",
    version: given.get("version") === "true",
    root: given.get("root"),
    controlFd: controlFd === undefined ? undefined : Number(controlFd),
  };
}
