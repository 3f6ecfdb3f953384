import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";

/** How the kernel shows the path of a file that has none any more. */
const REMOVED = " (deleted)";

/**
 * The path that a file or directory had which a process or a child of it has open, and which has no name any more; memory in files is none. A
 * daemon serves from a child, which is in its sandbox.
 */
export function removedFileOf(pid: number): string | undefined {
  const process = join("/proc", String(pid));
  for (const name of readdirSync(join(process, "fd"))) {
    const path = removedPath(process, join(process, "fd", name));
    if (path !== undefined) return path;
  }
  const children = readFileSync(join(process, "task", String(pid), "children"), "latin1")
    .split(" ")
    .filter(Boolean);
  return children.map((child) => removedFileOf(Number(child))).find((path) => path !== undefined);
}

function removedPath(process: string, descriptor: string): string | undefined {
  try {
    const path = readlinkSync(descriptor);
    if (!path.endsWith(REMOVED) || path.startsWith("/memfd:")) return undefined;
    const found = statSync(descriptor);
    // An overlay's directories have a link each, always.
    const hasNone = found.nlink === 0 || (found.isDirectory() && !existsSync(join(process, "root", path)));
    return hasNone ? path.slice(0, -REMOVED.length) : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined; // It was closed just now.
    throw error;
  }
}
