import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isWaiting } from "../cache/metadata.ts";
import type { FoundVm } from "../ports/hypervisor.ts";
import { NO_PROCESS, recordedState } from "./recorded-state.ts";
import { readOwner } from "./vm-owner.ts";

/** A directory without the name of its owner is being made, or was left by a crash in that moment. */
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

async function examine(path: string): Promise<FoundVm | undefined> {
  const made = await stat(path).catch(() => undefined);
  // The taker of a cached VM records itself as owner before it removes the cache's metadata: they are read the other way round.
  if (made?.isDirectory() !== true || (await isWaiting(path))) return undefined;
  const known = await readOwner(path);
  if (known === undefined && Date.now() - made.mtimeMs < UNFINISHED_MS) return undefined;
  const state = await recordedState(path, "");
  return {
    owner: known?.owner,
    sandboxId: known?.sandboxId,
    creator: known?.creator ?? NO_PROCESS,
    cached: known?.cached === true,
    detached: known?.detached,
    state: { ...state, ...(known?.cgroup === undefined ? {} : { cgroup: known.cgroup }) },
  };
}
