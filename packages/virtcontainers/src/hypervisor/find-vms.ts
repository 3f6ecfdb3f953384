import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isWaiting } from "../cache/note.ts";
import type { FoundVm } from "../ports/hypervisor.ts";
import { vmDirectory } from "./vm-directory.ts";
import { readOwner, readProcesses } from "./vm-owner.ts";

/** A directory without its note is being made, or was left by a crash in that moment. */
const UNFINISHED_MS = 60_000;

/** All VMs below a directory, dead or alive. */
export async function findVms(vmRoot: string): Promise<FoundVm[]> {
  const found: FoundVm[] = [];
  for (const name of (await readdir(vmRoot).catch(() => [])).sort()) {
    const vm = await examine(join(vmRoot, name));
    if (vm !== undefined) found.push(vm);
  }
  return found;
}

/** No process has this identity. */
const NOBODY = { pid: 2 ** 31 - 1, startTime: 0 };

async function examine(path: string): Promise<FoundVm | undefined> {
  const made = await stat(path).catch(() => undefined);
  // Who takes one notes whose it is before it is cached no more: they are looked at the other way round.
  if (made?.isDirectory() !== true || (await isWaiting(path))) return undefined;
  const note = await readOwner(path);
  if (note === undefined && Date.now() - made.mtimeMs < UNFINISHED_MS) return undefined;
  const { processes = [], qemu = NOBODY } = (await readProcesses(path)) ?? {};
  return {
    owner: note?.owner,
    creator: note?.creator ?? NOBODY,
    state: {
      dir: path,
      agentUrl: `unix://${vmDirectory(path).proxySocket}`,
      processes,
      qemu,
      accelerator: "",
      ...(note?.cgroup === undefined ? {} : { cgroup: note.cgroup }),
    },
  };
}
