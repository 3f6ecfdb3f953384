import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { chmod, chown, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { SpecMount } from "@kata-ts/agent-protocol";
import { type FileLock, LinuxError, lockFile, openInRoot } from "@kata-ts/linux";
import { KataError } from "@kata-ts/virtcontainers/records";
import { UsageError } from "../arguments/parse.ts";
import type { FrontBundle } from "./bundle.ts";
import { bundlesDirectory, volumesDirectory } from "./data-directory.ts";
import { ownerOf } from "./leftovers.ts";

/** `--volume`: a file or directory of the host, or a volume that is kept by its name. */
export type VolumeRequest = { readonly mount: SpecMount } | NamedVolume;

interface NamedVolume {
  readonly name: string;
  readonly destination: string;
  readonly mode: "ro" | "rw";
}

/** Docker's names. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
const LOCK_MS = 600_000;
const UNFINISHED = ".new-";

/** `FROM:TO[:ro]`, where FROM is a path with a slash, or a name. @throws UsageError */
export function parseVolume(text: string): VolumeRequest {
  const [from = "", to = "", mode = "rw", ...more] = text.split(":");
  if (from === "" || !to.startsWith("/") || (mode !== "ro" && mode !== "rw") || more.length > 0) {
    throw new UsageError(`--volume takes FROM:TO or FROM:TO:ro, not "${text}"`);
  }
  if (!from.includes("/") && from !== "." && from !== "..") {
    return { name: checkedName(from), destination: to, mode };
  }
  const source = resolve(from);
  if (statSync(source, { throwIfNoEntry: false }) === undefined) {
    throw new UsageError(`--volume ${text}: there is no ${source}`);
  }
  return { mount: { source, destination: to, type: "bind", options: ["rbind", mode] } };
}

/** @throws UsageError */
function checkedName(name: string): string {
  if (NAME.test(name)) return name;
  throw new UsageError(`"${name}" is no volume's name: letters, digits, and behind the first also _ . -`);
}

export interface VolumeUse {
  /** Where an image's files are; undefined for a directory of the user's. */
  readonly image: string | undefined;
  /** Of the container, which is noted to use them. */
  readonly bundle: Pick<FrontBundle, "useVolume">;
  readonly signal: AbortSignal;
}

/**
 * Mounts for what is asked for. A volume that is not there is made; it begins with what the image has in its place, as with
 * Docker.
 */
export async function volumeMounts(requests: readonly VolumeRequest[], use: VolumeUse): Promise<SpecMount[]> {
  const mounts: SpecMount[] = [];
  for (const request of requests) mounts.push("mount" in request ? request.mount : await namedVolume(request, use));
  return mounts;
}

async function namedVolume(
  { name, destination, mode }: NamedVolume,
  { image, bundle, signal }: VolumeUse,
): Promise<SpecMount> {
  using _lock = await lockVolume(name, signal);
  const source = dataOf(name);
  if (!existsSync(source)) await make(name, image === undefined ? undefined : { image, destination, signal });
  // Under the lock, without which it cannot be removed.
  bundle.useVolume(name);
  return { source, destination, type: "bind", options: ["rbind", mode] };
}

/** Makes an empty volume; an existing volume stays as it is. */
export async function createVolume(name: string): Promise<void> {
  using _lock = await lockVolume(checkedName(name));
  if (!existsSync(dataOf(name))) await make(name, undefined);
}

/** @throws KataError KATA_NOT_FOUND, KATA_STATE where a container has it */
export async function removeVolume(name: string): Promise<void> {
  using lock = await lockVolume(checkedName(name));
  if (!existsSync(dataOf(name))) throw new KataError("KATA_NOT_FOUND", `there is no volume ${name}`);
  const user = volumeUser(name);
  if (user !== undefined) {
    throw new KataError("KATA_STATE", `the volume ${name} is used by the container ${user}`, {
      hint: `kata rm ${user} first`,
    });
  }
  // A volume whose removal is cut short is not one with a part of its files.
  renameSync(join(volumesDirectory(), name), unfinishedPlace(name));
  await removeUnfinished(name);
  rmSync(lock.path, { force: true });
}

/** The names of all volumes. */
export function listVolumes(): string[] {
  return namesIn(volumesDirectory()).filter((name) => NAME.test(name) && existsSync(dataOf(name)));
}

/** The container that has a volume. */
export function volumeUser(name: string): string | undefined {
  return namesIn(bundlesDirectory()).find(
    (each) => ownerOf(join(bundlesDirectory(), each))?.volumes?.includes(name) === true,
  );
}

/** Where a volume's files are. */
export function dataOf(name: string): string {
  return join(volumesDirectory(), name, "data");
}

function lockVolume(name: string, signal?: AbortSignal): Promise<FileLock> {
  const locks = join(volumesDirectory(), ".locks");
  mkdirSync(locks, { recursive: true, mode: 0o700 });
  return lockFile(join(locks, name), { deadlineMs: LOCK_MS, signal });
}

interface Beginning {
  readonly image: string;
  readonly destination: string;
  readonly signal: AbortSignal;
}

/** Where the files of a volume are that is being made or removed. */
function unfinishedPlace(name: string): string {
  return join(volumesDirectory(), `${UNFINISHED}${name}~${randomBytes(4).toString("hex")}`);
}

/** Under the volume's lock. */
async function removeUnfinished(name: string): Promise<void> {
  for (const left of namesIn(volumesDirectory()).filter((each) => each.startsWith(`${UNFINISHED}${name}~`))) {
    await rm(join(volumesDirectory(), left), { recursive: true, force: true });
  }
}

/** Under the volume's lock. It has its name when it is whole; what a killed call has begun is removed first. */
async function make(name: string, beginning: Beginning | undefined): Promise<void> {
  await removeUnfinished(name);
  const unfinished = unfinishedPlace(name);
  const data = join(unfinished, "data");
  mkdirSync(data, { recursive: true });
  try {
    if (beginning !== undefined) await fill(data, beginning);
    renameSync(unfinished, join(volumesDirectory(), name));
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/** An image's links lead nowhere but into the image. */
async function fill(data: string, { image, destination, signal }: Beginning): Promise<void> {
  const directory = await openInRoot(image, destination.replace(/^\/+/, "")).catch((error: unknown) => {
    if (error instanceof LinuxError) return undefined; // The image has nothing there.
    throw error;
  });
  if (directory === undefined) return;
  try {
    const found = fstatSync(directory);
    if (!found.isDirectory()) return;
    const from = `/proc/${String(process.pid)}/fd/${String(directory)}/.`;
    await promisify(execFile)("cp", ["-a", "--", from, data], { signal });
    await chown(data, found.uid, found.gid);
    await chmod(data, found.mode & 0o7777);
  } finally {
    closeSync(directory);
  }
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
