import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isAlive, type ProcessIdentity } from "@kata-ts/linux";
import { count, flag, listOf, object, optional, parseShape, positive, text } from "@kata-ts/linux/shape";
import { FileStore, KataError, parseContainerId, reasonOf } from "@kata-ts/virtcontainers/records";
import { releaseName } from "./claimed-name.ts";
import { NAT_NOTE } from "./nat-note.ts";
import { NETWORK_NOTE } from "./network-note.ts";
import { unmountRootfs } from "./overlay.ts";
import { undoNetwork } from "./undo-network.ts";

const OWNER = "owner.json";
/** A bundle without its note is being made, or was left by a crash in that moment. */
const UNFINISHED_MS = 60_000;

export type Warn = (message: string) => void;

/** The process that made a bundle, and where its container's record is. */
export interface BundleOwner {
  readonly creator: ProcessIdentity;
  readonly root: string;
  /** No process waits for the container: `kata stop` removes the bundle. */
  readonly detached?: boolean;
  /** By which `kata stop` ends the container, by number. */
  readonly stopSignal?: number;
  /** The image that its root file system is of: it is kept for as long as the bundle is. */
  readonly image?: UsedImage;
  /** The names of its volumes. */
  readonly volumes?: readonly string[];
}

interface UsedImage {
  readonly digest: string;
  /** As it was named. */
  readonly name: string;
}

const bundleOwner = object<BundleOwner>({
  creator: object<ProcessIdentity>({ pid: positive, startTime: count }),
  root: text,
  detached: optional(flag),
  stopSignal: optional(count),
  image: optional(object<UsedImage>({ digest: text, name: text })),
  volumes: optional(listOf(text)),
});

/** Replaces the note as a whole: a power cut leaves the old one or the new one. */
export function writeOwner(bundle: string, owner: BundleOwner): void {
  const unfinished = join(bundle, `${OWNER}.tmp`);
  writeFileSync(unfinished, JSON.stringify(owner), { flush: true });
  renameSync(unfinished, join(bundle, OWNER));
}

/** Undefined where the note is missing or damaged. */
export function ownerOf(bundle: string): BundleOwner | undefined {
  try {
    return parseShape(bundleOwner, readFileSync(join(bundle, OWNER), "utf8"), OWNER);
  } catch {
    return undefined;
  }
}

/** Removes a bundle with its network. What is needed to try again stays where that cannot be undone. */
export async function removeBundle(bundle: string): Promise<void> {
  await unmountRootfs(bundle);
  try {
    await undoNetwork(bundle);
  } catch (error) {
    const kept = [OWNER, NETWORK_NOTE, NAT_NOTE];
    for (const name of readdirSync(bundle).filter((each) => !kept.includes(each)))
      await rm(join(bundle, name), { recursive: true, force: true });
    throw error;
  }
  await rm(bundle, { recursive: true, force: true });
  await releaseName(bundle);
}

/**
 * Removes the bundles whose process is dead and whose container is gone: a container that was left running needs its files.
 * A bundle that cannot be removed is warned about, and keeps neither the caller nor the others.
 *
 * @param root where the record of a bundle is looked for whose own note cannot be read
 */
export async function sweepBundles(bundles: string, root: string, warn: Warn): Promise<void> {
  for (const path of await leftBundles(bundles, root, warn)) {
    try {
      await removeBundle(path);
    } catch (error) {
      warn(`${path}, which an earlier run has left, could not be removed: ${reasonOf(error)}`);
    }
  }
}

/** The bundles that sweepBundles would remove. */
export async function leftBundles(bundles: string, root: string, warn: Warn): Promise<string[]> {
  const left: string[] = [];
  for (const name of existsSync(bundles) ? readdirSync(bundles) : []) {
    const path = join(bundles, name);
    try {
      if (await isLeftOver(path, name, root)) left.push(path);
    } catch (error) {
      warn(`${path} may be what an earlier run has left: ${reasonOf(error)}`);
    }
  }
  return left;
}

async function isLeftOver(path: string, name: string, root: string): Promise<boolean> {
  const owner = ownerOf(path);
  if (owner === undefined && Date.now() - statSync(path).mtimeMs < UNFINISHED_MS) return false;
  if (owner !== undefined && isAlive(owner.creator)) return false;
  try {
    await new FileStore(owner?.root ?? root).read(parseContainerId(name));
    return false;
  } catch (error) {
    if (error instanceof KataError && error.code === "KATA_NOT_FOUND") return true;
    throw error;
  }
}
