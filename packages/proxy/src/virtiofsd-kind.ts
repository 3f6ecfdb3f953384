import { execFile } from "node:child_process";
import { SpawnError, SYSTEM_PATH } from "@kata-ts/linux";

/** Which program it is: QEMU's own up to QEMU 7, in C, or its successor in Rust. Their options differ. */
export type VirtiofsdKind = "c" | "rust";

export interface VirtiofsdVersion {
  readonly kind: VirtiofsdKind;
  /** As it says it: `7.2.22`. */
  readonly version: string;
}

const DEADLINE_MS = 10_000;

/**
 * Asks a virtiofsd what it is.
 *
 * @throws SpawnError when it cannot be started, does not answer in time, or is no virtiofsd
 */
export async function virtiofsdVersion(path: string, deadlineMs: number = DEADLINE_MS): Promise<VirtiofsdVersion> {
  const said = await versionText(path, deadlineMs);
  const version = /^virtiofsd (version )?(?:backend )?v?(\d+[\d.]*)/m.exec(said);
  if (version === null) throw new SpawnError(`${path} --version does not name a version of virtiofsd`);
  return { kind: version[1] === undefined ? "rust" : "c", version: version[2] ?? "" };
}

function versionText(path: string, deadlineMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: deadlineMs, killSignal: "SIGKILL", env: { PATH: SYSTEM_PATH, LANG: "C" } } as const;
    execFile(path, ["--version"], options, (error, stdout, stderr) => {
      if (error === null) {
        resolve(`${stdout}\n${stderr}`);
        return;
      }
      const why = error.killed === true ? `no answer within ${String(deadlineMs)} ms` : error.message;
      reject(new SpawnError(`${path} --version: ${why.split("\n")[0] ?? ""}`, { cause: error }));
    });
  });
}
