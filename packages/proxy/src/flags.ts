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

const BOOLEANS: ReadonlySet<string> = new Set(["debug", "version"]);
const VALUES: ReadonlySet<string> = new Set([
  "listen-socket",
  "mux-socket",
  "sandbox",
  "log",
  "agent-logs-socket",
  "vm",
  "control-fd",
]);

/** Go's flag syntax: `-name value`, `-name=value`, one or two dashes. @throws Error on an unknown flag */
export function parseFlags(argv: readonly string[]): ProxyFlags {
  const given: Map<string, string> = new Map();
  for (let at = 0; at < argv.length; at++) {
    const match = /^--?([a-z-]+)(?:=(.*))?$/s.exec(argv[at] ?? "");
    const name = match?.[1] ?? "";
    if (BOOLEANS.has(name)) given.set(name, match?.[2] ?? "true");
    else if (VALUES.has(name)) given.set(name, match?.[2] ?? argv[++at] ?? "");
    else throw new Error(`kata-proxy: unknown argument ${JSON.stringify(argv[at])}`);
  }
  const controlFd = given.get("control-fd");
  return {
    listenSocket: (given.get("listen-socket") ?? "").replace(/^unix:(\/\/)?/, ""),
    muxSocket: given.get("mux-socket") ?? "",
    sandbox: given.get("sandbox") ?? "",
    debug: given.get("debug") === "true",
    version: given.get("version") === "true",
    vm: given.get("vm"),
    controlFd: controlFd === undefined ? undefined : Number(controlFd),
  };
}
