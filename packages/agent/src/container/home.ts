import type { RuntimeSpec, SpecProcess } from "@kata-ts/agent-protocol";
import { type AccountFiles, accountFilesOf } from "./account-files.ts";

/**
 * A process whose variables have no HOME gets the one of its user in the container's passwd. crun looks there, and leaves
 * it out for a user who is not in it; runc says `/`. An empty HOME counts as none.
 *
 * @param files of the container
 */
export async function processWithHome(process: SpecProcess, files: AccountFiles): Promise<SpecProcess> {
  const env = (process.env ?? []).filter((variable) => variable !== "HOME=");
  if (env.some((variable) => variable.startsWith("HOME="))) return process;
  const home = homeOf(process.user?.uid ?? 0, await files("/etc/passwd"));
  return { ...process, env: [...env, `HOME=${home}`] };
}

/** As processWithHome, for the first process of a container that is not there yet. */
export async function withHome(spec: RuntimeSpec): Promise<RuntimeSpec> {
  if (spec.process === undefined) return spec;
  return { ...spec, process: await processWithHome(spec.process, accountFilesOf(spec)) };
}

/** The home of a user; `/` for one who is not in the file, or has none there. */
export function homeOf(uid: number, passwd: string): string {
  const entries = passwd.split("\n").map((line) => line.split(":"));
  const entry = entries.find(
    (fields) => fields.length >= 6 && /^\d+$/.test(fields[2] ?? "") && Number(fields[2]) === uid,
  );
  return entry?.[5] === undefined || entry[5] === "" ? "/" : entry[5];
}
