import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { withLock } from "./lock.ts";

/** `$KATA_TS_CACHE`, or `kata-ts` below the user's cache directory. */
export function defaultCacheDir(): string {
  const { KATA_TS_CACHE: own, XDG_CACHE_HOME: user } = process.env;
  if (own !== undefined && own !== "") return own;
  return join(user !== undefined && user !== "" ? user : join(homedir(), ".cache"), "kata-ts");
}

/** A name for content: the same inputs give the same key. */
export function contentKey(...inputs: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(input).update("\0");
  return hash.digest("hex").slice(0, 16);
}

export async function fileDigest(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}

/** Of the names and contents of a tree's files. */
export async function treeDigest(dir: string): Promise<string> {
  const hash = createHash("sha256");
  for (const path of (await readdir(dir, { recursive: true })).sort()) {
    const file = join(dir, path);
    if ((await stat(file)).isFile())
      hash
        .update(path)
        .update("\0")
        .update(await fileDigest(file));
  }
  return hash.digest("hex");
}

/**
 * A directory that is made once per key, also where several processes ask for it at once: one builds, the others wait. It
 * is built under another name and renamed when complete, so that an interrupted build leaves no half a directory behind;
 * what such a build has left under its other name goes with the next one.
 */
export async function cachedDir(
  cacheDir: string,
  name: string,
  build: (dir: string) => Promise<void>,
): Promise<string> {
  const finished = join(cacheDir, name);
  if (existsSync(finished)) return finished;
  return withLock(cacheDir, name, async () => {
    if (existsSync(finished)) return finished;
    await removeUnfinished(cacheDir, name);
    const unfinished = `${finished}.${randomBytes(4).toString("hex")}.tmp`;
    await mkdir(unfinished, { recursive: true });
    try {
      await build(unfinished);
      await rename(unfinished, finished);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
    return finished;
  });
}

/** The caller holds the lock: no process is building there. */
async function removeUnfinished(cacheDir: string, name: string): Promise<void> {
  for (const entry of await readdir(cacheDir)) {
    if (!entry.startsWith(`${name}.`) || !entry.endsWith(".tmp")) continue;
    await rm(join(cacheDir, entry), { recursive: true, force: true });
  }
}
