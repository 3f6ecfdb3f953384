import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "@kata-ts/linux";
import { object, parseShape, text } from "@kata-ts/linux/shape";
import { VmFile } from "@kata-ts/proxy";
import type { MachineIdentity, Vmm } from "../ports/vmm.ts";
import { machineIdentity } from "../template/machine-identity.ts";
import { templateKey } from "../template/template-key.ts";
import { readProcesses } from "../vm/vm-owner.ts";

const METADATA = "cached.json";

/** What a cached VM was made from: a file in its directory, from when it is ready until a sandbox takes it. */
export interface CacheMetadata {
  /** The directory of its cache, which exists while the cache is open. */
  readonly cache: string;
  /** As a template's: changes with every file that the machine was made from. */
  readonly key: string;
  readonly machine: MachineIdentity;
  /** How its tree is shared, and how its monitor is started, which the key does not say. */
  readonly share: string;
}

/** The key vouches for the machine: it is computed again before the machine is used. */
const metadataShape = object<CacheMetadata>({ cache: text, key: text, machine: machineIdentity, share: text });

/** The metadata of VMs that this configuration asks for. */
export async function metadataFor(cache: string, vmm: Vmm, accelerator: string): Promise<CacheMetadata> {
  const machine = vmm.identify(accelerator);
  const share = JSON.stringify([machine.start, vmm.settings.sharedTree]);
  return { cache, key: await templateKey(machine), machine, share };
}

export async function writeMetadata(vmDirectory: string, metadata: CacheMetadata): Promise<void> {
  await writeFile(join(vmDirectory, METADATA), JSON.stringify(metadata), { mode: 0o600 });
}

export async function removeMetadata(vmDirectory: string): Promise<void> {
  await rm(join(vmDirectory, METADATA), { force: true });
}

/** All VMs of any cache that no sandbox has taken, dead or alive. */
export async function cachedDirectories(vmRoot: string): Promise<string[]> {
  const names = await readdir(vmRoot).catch(() => []);
  return names.map((name) => join(vmRoot, name)).filter(isCached);
}

/** Whether a VM was made for a cache, and no sandbox has taken it. */
export function isCached(vmDirectory: string): boolean {
  return existsSync(join(vmDirectory, METADATA));
}

/** Whether a cached VM runs and waits to be taken. */
export async function isWaiting(vmDirectory: string): Promise<boolean> {
  if (!isCached(vmDirectory)) return false;
  const processes = (await readProcesses(vmDirectory))?.processes ?? [];
  return processes.length > 0 && processes.every(isAlive);
}

/** Whether a cached VM can be taken at once. */
export async function isReady(vmDirectory: string): Promise<boolean> {
  return existsSync(join(vmDirectory, VmFile.take)) && (await isWaiting(vmDirectory));
}

/** Whether a cached VM is what such metadata asks for. */
export async function matches(vmDirectory: string, { cache, key, share }: CacheMetadata): Promise<boolean> {
  const metadata = await readMetadata(vmDirectory);
  return metadata?.cache === cache && metadata.key === key && metadata.share === share;
}

export async function belongsTo(vmDirectory: string, cache: string): Promise<boolean> {
  return (await readMetadata(vmDirectory))?.cache === cache;
}

/** Whether the files that a cached VM was made from are unchanged. */
export async function isCurrent(vmDirectory: string): Promise<boolean> {
  const metadata = await readMetadata(vmDirectory);
  return metadata !== undefined && (await templateKey(metadata.machine).catch(() => undefined)) === metadata.key;
}

/** Undefined where it is missing or damaged: such a VM matches nothing, and is removed as stale. */
async function readMetadata(vmDirectory: string): Promise<CacheMetadata | undefined> {
  try {
    return parseShape(metadataShape, await readFile(join(vmDirectory, METADATA), "utf8"), METADATA);
  } catch {
    return undefined;
  }
}
