import { type BigIntStats, readdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * A path by which this process opens a file that another process has open, whatever its name is or was.
 *
 * @param matches called with what stat(2) says of each of its files, and the name that the kernel has for it
 * @returns undefined where it has no such file open, or has ended
 */
export function openFileOf(pid: number, matches: (file: BigIntStats, name: string) => boolean): string | undefined {
  const directory = `/proc/${String(pid)}/fd`;
  return namesIn(directory)
    .map((name) => join(directory, name))
    .find((path) => {
      try {
        return matches(statSync(path, { bigint: true }), readlinkSync(path));
      } catch {
        return false; // It was closed just now.
      }
    });
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
