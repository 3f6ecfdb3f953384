import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { howToInstall } from "./distribution.ts";
import { SYSTEM_PATH } from "./system-path.ts";

/** A helper program could not be started, or is not what it was taken for. */
export class SpawnError extends Error {
  override readonly name = "SpawnError";
  readonly code = "KATA_SPAWN";
}

export interface ExitInfo {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child whose life is tied to ours: the kernel kills it when this process dies, however that happens. */
export interface TiedProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly exited: Promise<ExitInfo>;
}

/** All but that to lock memory, which a passed-through device of the host's needs. */
const WITHOUT_CAPABILITIES = ["--no-new-privs", "--bounding-set=-all,+ipc_lock", "--inh-caps=-all"];
const AS_USER = ["--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"];

export interface TiedOptions {
  /** Root's powers are taken from it for good: it is root only in that root's files are its own. */
  readonly withoutCapabilities?: boolean;
  /** It is started as this user, and group, with no power but that of its files. */
  readonly user?: number;
  /** Hard limits of its resources, by prlimit(1)'s names. */
  readonly limits?: Readonly<Record<string, number>>;
}

/**
 * Starts a helper in its own session, with nothing inherited but the given descriptors and a minimal environment.
 *
 * @throws SpawnError when it cannot be started
 */
export function spawnTied(
  command: string,
  args: readonly string[],
  stdio: StdioOptions,
  options: TiedOptions = {},
): TiedProcess {
  const tied = ["setpriv", "--pdeathsig", "KILL", ...privileges(options), "--", command, ...args];
  const [program = "", ...rest] = [...limited(options), ...tied];
  const child = spawn(program, rest, {
    stdio,
    detached: true,
    cwd: "/",
    env: { PATH: SYSTEM_PATH, LANG: "C" },
  });
  const exited: Promise<ExitInfo> = new Promise((resolve) => {
    child.once("exit", (exitCode, signal) => {
      resolve({ exitCode, signal });
    });
  });
  if (child.pid === undefined) {
    child.on("error", () => undefined);
    throw new SpawnError(`${command} could not be started through ${program}: ${howToInstall("setpriv")}`);
  }
  return { pid: child.pid, child, exited };
}

function privileges({ withoutCapabilities = false, user }: TiedOptions): string[] {
  if (user !== undefined) return [`--reuid=${String(user)}`, `--regid=${String(user)}`, ...AS_USER];
  return withoutCapabilities ? WITHOUT_CAPABILITIES : [];
}

function limited({ limits = {} }: TiedOptions): string[] {
  const options = Object.entries(limits).map(([name, value]) => `--${name}=${String(value)}:${String(value)}`);
  return options.length === 0 ? [] : ["prlimit", ...options, "--"];
}
