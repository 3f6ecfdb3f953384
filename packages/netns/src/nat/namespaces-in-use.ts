import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The inode of the host's first pid namespace, in which all processes are seen: a constant of the kernel's. */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";

/**
 * The inodes of all network namespaces of the host that a process is in, or that have a name in a file system. One that only an
 * open descriptor keeps is not found.
 *
 * @param proc of procfs
 * @returns undefined where this process does not see all processes of the host
 */
export function networkNamespacesInUse(proc = "/proc"): ReadonlySet<number> | undefined {
  if (linkOf(`${proc}/self/ns/pid`) !== FIRST_PID_NAMESPACE) return undefined;
  const found: Set<number> = new Set();
  const mounts: Set<string> = new Set();
  for (const pid of namesIn(proc).filter((name) => /^\d+$/.test(name))) {
    for (const thread of namesIn(`${proc}/${pid}/task`)) {
      addAll(found, linkOf(`${proc}/${pid}/task/${thread}/ns/net`));
    }
    const mountNamespace = linkOf(`${proc}/${pid}/ns/mnt`);
    if (mounts.has(mountNamespace)) continue;
    mounts.add(mountNamespace);
    addAll(found, textOf(`${proc}/${pid}/mountinfo`));
  }
  return found;
}

function addAll(found: Set<number>, text: string): void {
  for (const [, inode] of text.matchAll(/\bnet:\[(\d+)\]/g)) found.add(Number(inode));
}

// Processes end while they are looked at.
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
