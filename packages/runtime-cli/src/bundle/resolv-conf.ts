import { closeSync, openSync, readSync } from "node:fs";
import type { RuntimeSpec } from "@kata-ts/agent-protocol";

const MAX_BYTES = 64 * 1024;

/** Lines of the file that is mounted as the container's resolv.conf: the guest's own programs resolve by them, too. */
export function resolvConfOf(spec: RuntimeSpec): readonly string[] {
  const source = spec.mounts?.find(({ destination }) => destination === "/etc/resolv.conf")?.source;
  if (source === undefined) return [];
  return start(source)
    .split("\n")
    .filter((line) => line.trim() !== "");
}

/** A source that cannot be read is told of when it is mounted. */
function start(path: string): string {
  const buffer = Buffer.alloc(MAX_BYTES);
  try {
    const fd = openSync(path, "r");
    try {
      return buffer.toString("utf8", 0, readSync(fd, buffer, 0, MAX_BYTES, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return "";
  }
}
