import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

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

/**
 * A directory that is made once per key. It is built under another name and renamed when complete, so that an
 * interrupted or a parallel build never leaves half a directory behind.
 */
export async function cachedDir(
  cacheDir: string,
  name: string,
  build: (dir: string) => Promise<void>,
): Promise<string> {
  const finished = join(cacheDir, name);
  if (existsSync(finished)) return finished;
  const unfinished = `${finished}.${randomBytes(4).toString("hex")}.tmp`;
  await mkdir(unfinished, { recursive: true });
  try {
    await build(unfinished);
    await rename(unfinished, finished).catch((error: unknown) => {
      if (!existsSync(finished)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return finished;
}
