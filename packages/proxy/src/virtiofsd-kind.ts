import { execFile } from "node:child_process";
import { Silence, SpawnError, SYSTEM_PATH } from "@kata-ts/linux";

/** Which program it is: QEMU's own up to QEMU 7, in C, or its successor in Rust. Their options differ. */
export type VirtiofsdKind = "c" | "rust";

export interface VirtiofsdVersion {
  readonly kind: VirtiofsdKind;
  /** As it says it: `7.2.22`. */
  readonly version: string;
}

const SILENCE_MS = 10_000;

/**
 * Asks a virtiofsd what it is.
 *
 * @param silenceMs as Silence counts it
 * @throws SpawnError when it cannot be started, does not answer in time, or is no virtiofsd
 */
export async function virtiofsdVersion(path: string, silenceMs: number = SILENCE_MS): Promise<VirtiofsdVersion> {
  const said = await versionText(path, silenceMs);
  const version = /^virtiofsd (version )?(?:backend )?v?(\d+[\d.]*)/m.exec(said);
  if (version === null) throw new SpawnError(`${path} --version does not name a version of virtiofsd`);
  return { kind: version[1] === undefined ? "rust" : "c", version: version[2] ?? "" };
}

function versionText(path: string, silenceMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { PATH: SYSTEM_PATH, LANG: "C" } };
    const child = execFile(path, ["--version"], options, (error, stdout, stderr) => {
      clearInterval(timer);
      if (error === null) {
        resolve(`${stdout}\n${stderr}`);
        return;
      }
      const why = error.killed === true ? `no answer within ${String(silenceMs)} ms` : error.message;
      reject(new SpawnError(`${path} --version: ${why.split("\n")[0] ?? ""}`, { cause: error }));
    });
    const silence = new Silence(child.pid, silenceMs);
    const timer = setInterval(() => {
      if (silence.isOver()) child.kill("SIGKILL");
    }, silence.sampleMs);
  });
}
