import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { escapeControls } from "@kata-ts/linux";
import { parseShape } from "@kata-ts/linux/shape";
import { type VmExit, VmFile, vmExit } from "@kata-ts/proxy";

/**
 * How a VM ended, as its supervisor recorded it; undefined while it runs, when the record is empty or not there.
 *
 * @throws SyntaxError, TypeError for a damaged record
 */
export async function readExit(vmDirectory: string): Promise<VmExit | undefined> {
  const path = join(vmDirectory, VmFile.exit);
  const text = await readFile(path, "utf8").catch(ifMissing);
  if (text === "") return undefined;
  const exit = parseShape(vmExit, text, path);
  // The supervisor has escaped them, unless its guest has taken it over.
  return { ...exit, stderr: exit.stderr.map(escapeControls), console: exit.console.map(escapeControls) };
}

function ifMissing(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return "";
  throw error;
}
