import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { KataError, reasonOf } from "../errors.ts";

const VERSION_DEADLINE_MS = 10_000;

/** With the distribution's part of it: a patch may change what is saved. @throws KataError KATA_CONFIG */
export async function qemuVersion(qemuPath: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(qemuPath, ["--version"], { timeout: VERSION_DEADLINE_MS });
    return stdout.split("\n")[0] ?? "";
  } catch (error) {
    throw new KataError("KATA_CONFIG", `${qemuPath} does not say which version it is: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** @param said as a program says its version */
export function isSince(said: string, [since, sinceMinor]: readonly [number, number]): boolean {
  const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(said) ?? [];
  return Number(major) > since || (Number(major) === since && Number(minor) >= sinceMinor);
}
