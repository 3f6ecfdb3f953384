import { close, fstat, read } from "node:fs";
import { join, normalize, relative } from "node:path";
import { promisify } from "node:util";
import type { RuntimeSpec, SpecProcess } from "@kata-ts/agent-protocol";
import { openInRoot } from "@kata-ts/linux";

const PASSWD = "/etc/passwd";
const MAX_BYTES = 1024 * 1024;

/**
 * A process whose variables have no HOME gets the one of its user in the container's passwd. crun looks there, and leaves
 * it out for a user who is not in it; runc says `/`. An empty HOME counts as none.
 *
 * @param passwd the text of that file; "" where there is none
 */
export async function processWithHome(process: SpecProcess, passwd: () => Promise<string>): Promise<SpecProcess> {
  const env = (process.env ?? []).filter((variable) => variable !== "HOME=");
  if (env.some((variable) => variable.startsWith("HOME="))) return process;
  const home = homeOf(process.user?.uid ?? 0, await passwd());
  return { ...process, env: [...env, `HOME=${home}`] };
}

/** As processWithHome, for the first process of a container that is not there yet. */
export async function withHome(spec: RuntimeSpec): Promise<RuntimeSpec> {
  if (spec.process === undefined) return spec;
  return { ...spec, process: await processWithHome(spec.process, () => passwdOf(spec)) };
}

/** The home of a user; `/` for one who is not in the file, or has none there. */
export function homeOf(uid: number, passwd: string): string {
  const entries = passwd.split("\n").map((line) => line.split(":"));
  const entry = entries.find(
    (fields) => fields.length >= 6 && /^\d+$/.test(fields[2] ?? "") && Number(fields[2]) === uid,
  );
  return entry?.[5] === undefined || entry[5] === "" ? "/" : entry[5];
}

/** The passwd of a directory tree that is a container's root; "" where there is none that can be read. */
export async function passwdIn(root: string, path: string = PASSWD): Promise<string> {
  try {
    const fd = await openInRoot(root, path.replace(/^\/+/, ""));
    try {
      const found = await promisify(fstat)(fd);
      return found.isFile() ? await start(fd, Math.min(found.size, MAX_BYTES)) : "";
    } finally {
      await promisify(close)(fd);
    }
  } catch {
    return "";
  }
}

/** What will be seen there once all is mounted: the last mount over it, or else the root's own. */
function passwdOf({ root, mounts = [] }: RuntimeSpec): Promise<string> {
  const covers = ({ destination }: { destination: string }): boolean => {
    const path = normalize(destination).replace(/\/+$/, "");
    return path === PASSWD || PASSWD.startsWith(`${path}/`);
  };
  const mount = mounts.findLast(covers);
  if (mount === undefined) return passwdIn(root?.path ?? "");
  const { type, source, destination } = mount;
  if (type !== "bind" || source === undefined) return Promise.resolve("");
  const rest = relative(normalize(destination), PASSWD);
  return rest === "" ? passwdIn(join(source, ".."), source.slice(source.lastIndexOf("/"))) : passwdIn(source, rest);
}

async function start(fd: number, size: number): Promise<string> {
  const bytes = Buffer.alloc(size);
  const { bytesRead } = await promisify(read)(fd, bytes, 0, size, 0);
  return bytes.toString("utf8", 0, bytesRead);
}
