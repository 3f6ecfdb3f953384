import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConnectionJournal, undoRedirectLoopback } from "@kata-ts/netns";
import { VmFile } from "@kata-ts/proxy";

/**
 * Takes back what was changed in the network of a VM that has ended. Its supervisor has done so, unless it was killed.
 *
 * @param namespaces paths that lead to the VM's network namespace
 */
export async function returnNetwork(vmDirectory: string, namespaces: readonly string[]): Promise<void> {
  await new ConnectionJournal(join(vmDirectory, VmFile.network)).close(namespaces).catch(ignoreMissing);
  const port = await readFile(join(vmDirectory, VmFile.ports), "latin1").catch(() => undefined);
  if (port === undefined) return;
  for (const path of namespaces) await undoRedirectLoopback(path, Number(port)).catch(() => undefined);
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
