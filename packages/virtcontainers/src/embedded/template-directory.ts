import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { identifyProcess, isAlive } from "@kata-ts/linux";

const NAME = /^kata-template-(\d+)-(\d+)-/;

/**
 * Makes a directory that is this process's, and removes those of processes that were killed before they could.
 *
 * @param parent the system's directory for temporary files
 */
export async function makeTemplateDirectory(parent: string): Promise<string> {
  for (const name of await readdir(parent)) if (isAbandoned(name)) await removeOurs(join(parent, name));
  const { pid, startTime } = identifyProcess(process.pid);
  return mkdtemp(join(parent, `kata-template-${String(pid)}-${String(startTime)}-`));
}

function isAbandoned(name: string): boolean {
  const owner = NAME.exec(name);
  return owner !== null && !isAlive({ pid: Number(owner[1]), startTime: Number(owner[2]) });
}

/** Anybody can make a directory of such a name there. */
async function removeOurs(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() === true && found.uid === process.getuid?.())
    await rm(path, { recursive: true, force: true });
}
