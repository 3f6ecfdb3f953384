import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { howToInstall, SYSTEM_PATH } from "@kata-ts/linux";
import { QemuError } from "./errors.ts";

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

export interface TiedOptions {
  /** Root's powers are taken from it for good: it is root only in that root's files are its own. */
  readonly withoutCapabilities?: boolean;
}

/**
 * Starts a helper in its own session, with nothing inherited but the given descriptors and a minimal environment.
 *
 * @throws QemuError KATA_SPAWN when it cannot be started
 */
export function spawnTied(
  command: string,
  args: readonly string[],
  stdio: StdioOptions,
  { withoutCapabilities = false }: TiedOptions = {},
): TiedProcess {
  const privileges = withoutCapabilities ? WITHOUT_CAPABILITIES : [];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", ...privileges, "--", command, ...args], {
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
    throw new QemuError("KATA_SPAWN", `${command} could not be started through setpriv: ${howToInstall("setpriv")}`);
  }
  return { pid: child.pid, child, exited };
}
