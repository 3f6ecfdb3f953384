import { closeSync, lstatSync, openSync, readlinkSync, readSync } from "node:fs";
import { stat } from "node:fs/promises";

/** A launcher is as long. */
const LAUNCHER_BYTES = 4096;
/** What each program in bin leads to: a link by its target, a launcher by its words. */
const LEADS_TO = "/libexec/kata-ts";

/** Whether a program in bin is of an installation of ours, of whatever version: others may have its name, such as the original Kata. */
export function isOurProgram(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  if (stats.isSymbolicLink()) return readlinkSync(path).includes(LEADS_TO);
  return stats.isFile() && beginningOf(path).includes(LEADS_TO);
}

/** A link that leads nowhere is there, too. */
export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function beginningOf(path: string): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(LAUNCHER_BYTES);
    return bytes.toString("latin1", 0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}
