import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "@kata-ts/linux";
import { VmFile } from "@kata-ts/proxy";
import type { VmConfig } from "@kata-ts/qemu-driver";
import type { QemuConfig } from "../hypervisor/qemu-config.ts";
import { readProcesses } from "../hypervisor/vm-owner.ts";
import { machineOf } from "../template/build-template.ts";
import { templateKey, withoutNames } from "../template/template-key.ts";

const NOTE = "cached.json";

/** What a cached VM is of: a file in its directory, from when it is ready until it is somebody's. */
export interface CacheNote {
  /** Which cache it is in: the directory that is there while that is open. */
  readonly cache: string;
  /** As a template's: changes with every file that the machine was made of. */
  readonly key: string;
  readonly machine: VmConfig;
  /** What the machine does not say of how its tree is shared, and how its QEMU is confined. */
  readonly share: string;
}

/** What VMs of this configuration are of. */
export async function noteOf(cache: string, config: QemuConfig, accelerator: "kvm" | "tcg"): Promise<CacheNote> {
  const machine = machineOf(config, accelerator);
  const { sharedFs, virtiofsdPath, virtioFsCache, virtiofsdArguments = [] } = config;
  const user = config.confinement === false ? "root" : "own user";
  const share = [user, sharedFs, virtiofsdPath, virtioFsCache, ...virtiofsdArguments].join(" ");
  return { cache, key: await templateKey(machine), machine: withoutNames(machine), share };
}

export async function writeNote(vmDirectory: string, note: CacheNote): Promise<void> {
  await writeFile(join(vmDirectory, NOTE), JSON.stringify(note), { mode: 0o600 });
}

export async function removeNote(vmDirectory: string): Promise<void> {
  await rm(join(vmDirectory, NOTE), { force: true });
}

/** All that were cached, dead or alive, and that nobody has taken. */
export async function cachedDirectories(vmRoot: string): Promise<string[]> {
  const names = await readdir(vmRoot).catch(() => []);
  return names.map((name) => join(vmRoot, name)).filter(isCached);
}

/** Whether it was made for nobody in particular, and nobody has taken it. */
export function isCached(vmDirectory: string): boolean {
  return existsSync(join(vmDirectory, NOTE));
}

/** Whether it is a VM that waits to be taken: it is nobody's, and no garbage either. */
export async function isWaiting(vmDirectory: string): Promise<boolean> {
  if (!isCached(vmDirectory)) return false;
  const processes = (await readProcesses(vmDirectory))?.processes ?? [];
  return processes.length > 0 && processes.every(isAlive);
}

/** Whether somebody who asks for it would get it at once. */
export async function isReady(vmDirectory: string): Promise<boolean> {
  return existsSync(join(vmDirectory, VmFile.take)) && (await isWaiting(vmDirectory));
}

/** Whether it is what such a configuration asks for. */
export async function isOf(vmDirectory: string, { cache, key, share }: CacheNote): Promise<boolean> {
  const note = await readNote(vmDirectory);
  return note?.cache === cache && note.key === key && note.share === share;
}

export async function isIn(vmDirectory: string, cache: string): Promise<boolean> {
  return (await readNote(vmDirectory))?.cache === cache;
}

/** Whether the files that it was made of are still what they were. */
export async function isCurrent(vmDirectory: string): Promise<boolean> {
  const note = await readNote(vmDirectory);
  return note !== undefined && (await templateKey(note.machine).catch(() => undefined)) === note.key;
}

async function readNote(vmDirectory: string): Promise<CacheNote | undefined> {
  try {
    return JSON.parse(await readFile(join(vmDirectory, NOTE), "utf8")) as CacheNote;
  } catch {
    return undefined;
  }
}
