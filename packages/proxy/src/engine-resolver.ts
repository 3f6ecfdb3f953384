import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** Where Docker Engine answers for the names of a network's containers, by rules in the container's own namespace. */
const ENGINE_RESOLVER = "127.0.0.11";
const MAX_BYTES = 64 * 1024;

/** The engine's resolver, where the lines of resolv.conf name it. */
export function engineResolver(lines: readonly string[]): string | undefined {
  const named = lines.some((line) => line.trim().split(/\s+/).join(" ") === `nameserver ${ENGINE_RESOLVER}`);
  return named ? ENGINE_RESOLVER : undefined;
}

/** A resolv.conf for readOpenResolvConf(); undefined where it is no file. Never blocks. */
export function openResolvConf(path: string): number | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
  } catch {
    // As if there were none.
  }
  return undefined;
}

/** The lines of an open one as it is now. */
export function readOpenResolvConf(fd: number): readonly string[] {
  const buffer = Buffer.alloc(MAX_BYTES);
  const text = buffer.toString("utf8", 0, readSync(fd, buffer, 0, MAX_BYTES, 0));
  return text.split("\n").filter((line) => line.trim() !== "");
}

/**
 * The lines of a resolv.conf as it is now; none where it cannot be read. A guest that the directory is shared with may have
 * put something else in its place, which does not keep the caller waiting.
 */
export function readResolvConf(path: string): readonly string[] {
  const fd = openResolvConf(path);
  if (fd === undefined) return [];
  try {
    return readOpenResolvConf(fd);
  } catch {
    return [];
  } finally {
    closeSync(fd);
  }
}
