import { renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Writes a pid file so that a reader sees all of it or none. */
export function writePidFile(path: string, pid: number): void {
  const unfinished = join(dirname(path), `.${basename(path)}.${String(process.pid)}`);
  try {
    writeFileSync(unfinished, String(pid));
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}
