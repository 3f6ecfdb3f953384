import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";

/** How the kernel shows the path of a file that has none any more. */
const REMOVED = " (deleted)";

/**
 * The path that a file had which a process or a child of it has open, and which has no name any more; memory in files is none. A daemon serves
 * from a child, which is in its sandbox.
 */
export function removedFileOf(pid: number): string | undefined {
  const process = join("/proc", String(pid));
  for (const name of readdirSync(join(process, "fd"))) {
    const path = removedPath(join(process, "fd", name));
    if (path !== undefined) return path;
  }
  const children = readFileSync(join(process, "task", String(pid), "children"), "latin1")
    .split(" ")
    .filter(Boolean);
  return children.map((child) => removedFileOf(Number(child))).find((path) => path !== undefined);
}

function removedPath(descriptor: string): string | undefined {
  try {
    const path = readlinkSync(descriptor);
    const hasNone = path.endsWith(REMOVED) && !path.startsWith("/memfd:") && statSync(descriptor).nlink === 0;
    return hasNone ? path.slice(0, -REMOVED.length) : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined; // It was closed just now.
    throw error;
  }
}
