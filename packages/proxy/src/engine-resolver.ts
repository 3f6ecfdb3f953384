import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** Where Docker Engine answers for the names of a network's containers, by rules in the container's own namespace. */
const ENGINE_RESOLVER = "127.0.0.11";
const MAX_BYTES = 64 * 1024;

/** The engine's resolver, where the lines of resolv.conf name it. */
export function engineResolver(lines: readonly string[]): string | undefined {
  const named = lines.some((line) => line.trim().split(/\s+/).join(" ") === `nameserver ${ENGINE_RESOLVER}`);
  return named ? ENGINE_RESOLVER : undefined;
}

/**
 * The lines of a resolv.conf as it is now; none where it cannot be read. A guest that the directory is shared with may have
 * put something else in its place, which does not keep the caller waiting.
 */
export function readResolvConf(path: string): readonly string[] {
  return start(path)
    .split("\n")
    .filter((line) => line.trim() !== "");
}

function start(path: string): string {
  const buffer = Buffer.alloc(MAX_BYTES);
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!fstatSync(fd).isFile()) return "";
      return buffer.toString("utf8", 0, readSync(fd, buffer, 0, MAX_BYTES, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return "";
  }
}
