import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { tryLockFile } from "@kata-ts/linux";
import { parseDescriptor } from "../documents.ts";
import { type Places, REFERENCE } from "./places.ts";

/**
 * Removes the blobs that no image of the store has, and names that killed processes have not finished, unless a process fetches at
 * this moment: it may count on them.
 *
 * @param kept digests
 * @returns how many bytes were removed
 */
export async function sweepBlobs(places: Places, kept: () => Promise<ReadonlySet<string>>): Promise<number> {
  using lock = await tryLockFile(places.blobLock);
  if (lock === undefined) return 0;
  const digests = await kept();
  let bytes = 0;
  for (const name of await readdir(places.blobs).catch(() => [])) {
    if (digests.has(`sha256:${name}`)) continue;
    const path = join(places.blobs, name);
    bytes += (await stat(path)).size;
    await rm(path, { force: true });
  }
  await forget(places, digests);
  await removeUnfinished(places);
  return bytes;
}

/** Names are given by those that fetch. */
async function removeUnfinished({ references }: Places): Promise<void> {
  const unfinished = (await readdir(references)).filter((name) => !name.endsWith(REFERENCE));
  for (const name of unfinished) await rm(join(references, name), { force: true });
}

/** What is remembered of a registry is of use with the blob alone. */
async function forget({ remembered }: Places, kept: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(remembered).catch(() => [])) {
    const file = join(remembered, name);
    const digest = await readFile(file)
      .then((text) => parseDescriptor(text, file).digest)
      .catch(() => undefined);
    if (digest === undefined || !kept.has(digest)) await rm(file, { force: true });
  }
}
