import { createHash } from "node:crypto";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { anyObject, object, text } from "@kata-ts/linux/shape";
import { KataError, reasonOf } from "../errors.ts";
import { MANIFEST, SNAPSHOT_FORMAT, type SnapshotManifest, snapshotManifest } from "./manifest.ts";

/** What a manifest may have at most: processes of many containers, with their environments. */
const MOST_MANIFEST_BYTES = 16 * 1024 ** 2;

/**
 * Reads the manifest of a snapshot.
 *
 * @param name of the snapshot, for errors; @param place a path to its directory
 * @throws KataError KATA_SNAPSHOT where there is none that this release can use
 */
export async function readManifest(name: string, place: string): Promise<SnapshotManifest> {
  const path = join(place, MANIFEST);
  const { size } = await stat(path).catch((error: unknown) => {
    throw brokenSnapshot(name, `it has no readable ${MANIFEST}: ${reasonOf(error)}`, error);
  });
  if (size > MOST_MANIFEST_BYTES) throw brokenSnapshot(name, `its ${MANIFEST} is larger than any that is written`);
  try {
    return parseManifest(await readFile(path, "utf8"));
  } catch (error) {
    throw brokenSnapshot(name, `its ${MANIFEST} cannot be used: ${reasonOf(error)}`, error);
  }
}

/** Makes a directory's files its snapshot, by a rename. */
export async function writeManifest(directory: string, manifest: SnapshotManifest): Promise<void> {
  const path = join(directory, MANIFEST);
  const content = JSON.stringify({ digest: digestOf(manifest), manifest });
  {
    // A new file: no link of another's is followed.
    await rm(`${path}.new`, { force: true });
    await using file = await open(`${path}.new`, "wx", 0o600);
    await file.writeFile(`${content}\n`);
    await file.sync();
  }
  await rename(`${path}.new`, path);
  await using handle = await open(directory, "r");
  await handle.sync();
}

const signed = object<{ readonly digest: string; readonly manifest: object }>({ digest: text, manifest: anyObject });

function parseManifest(content: string): SnapshotManifest {
  const { digest, manifest } = signed(JSON.parse(content), "it");
  const { format } = manifest as Partial<SnapshotManifest>;
  if (format !== SNAPSHOT_FORMAT) {
    throw new Error(
      `it is of format ${JSON.stringify(format)}, and this release reads format ${String(SNAPSHOT_FORMAT)}`,
    );
  }
  const checked = snapshotManifest(manifest, "it");
  if (digestOf(checked) !== digest) throw new Error("it is not what was written");
  return checked;
}

function digestOf(manifest: SnapshotManifest): string {
  return createHash("sha256").update(JSON.stringify(manifest)).digest("hex");
}

export function brokenSnapshot(name: string, why: string, cause?: unknown): KataError {
  return new KataError("KATA_SNAPSHOT", `the snapshot ${name} cannot be restored: ${why}`, { cause });
}
