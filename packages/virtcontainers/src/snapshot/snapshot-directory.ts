import { chmod, lstat, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type FileLock, lockFile } from "@kata-ts/linux";
import { KataError, reasonOf } from "../errors.ts";
import { makeOwnDirectory } from "../vm/vm-directory.ts";
import { contentDigest } from "./content-digest.ts";
import { writeInventory } from "./inventory.ts";
import { MANIFEST, type SnapshotManifest } from "./manifest.ts";
import { readManifest, writeManifest } from "./manifest-file.ts";
import { OpenSnapshot, openPlace } from "./open-snapshot.ts";

/** Held by the one call that saves, as long as that takes. */
const SAVE_LOCK = "snapshot.lock";
/** Held while the snapshot is another one from a moment on, and together by the calls that open it. */
const NAMES_LOCK = "names.lock";
const LOCK_DEADLINE_MS = 30_000;
const OPEN_TO_OTHERS = 0o077;

/** Files of snapshots, also of those that were never finished; a manifest that was not renamed. */
const OURS = /^(?:(?:memory|state|disk\d+)-[0-9a-f]{12}|manifest\.json\.new)$/;

/**
 * A directory that holds one snapshot: its manifest, and the files that the manifest names. A new snapshot has files of other
 * names, and becomes the directory's by the rename of its manifest: until then, and where it fails, the old one is whole.
 */
export class SnapshotDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes the directory, with its parents, for root alone, and writes a snapshot into it. An empty directory, and one of a snapshot,
   * is made root's alone; others with files in them are refused, unless they are so already.
   *
   * @param write makes the snapshot's files, whose names end in `-SUFFIX`
   * @throws whatever `write` throws: the snapshot that was there before is still there then
   */
  async write(suffix: string, write: () => Promise<Omit<SnapshotManifest, "files">>): Promise<SnapshotManifest> {
    await this.#makeOwn();
    using _saving = await lockFile(join(this.path, SAVE_LOCK), { deadlineMs: LOCK_DEADLINE_MS });
    try {
      const made = await write();
      const manifest: SnapshotManifest = { ...made, files: await this.#measure(suffix) };
      using _names = await lockNames(this.path);
      await writeInventory(this.path);
      await writeManifest(this.path, manifest);
      return manifest;
    } finally {
      // The snapshot is what it is by now, and so is the error of one that failed: the next call removes what is left.
      await this.#removeOthers().catch((error: unknown) => {
        process.emitWarning(`files of another snapshot are left in ${this.path}: ${reasonOf(error)}`);
      });
    }
  }

  /**
   * Opens the snapshot, for restoring it: what is open stays as it is, whatever is saved to the directory meanwhile.
   *
   * @throws KataError KATA_SNAPSHOT where there is none that this release can use, the signal's reason
   */
  async open(signal?: AbortSignal): Promise<OpenSnapshot> {
    const place = openPlace(this.path);
    try {
      using _names = await lockNames(place.path, { shared: true, signal });
      return new OpenSnapshot(this.path, place, await readManifest(this.path, place.path));
    } catch (error) {
      place[Symbol.dispose]();
      signal?.throwIfAborted();
      throw error;
    }
  }

  async #makeOwn(): Promise<void> {
    await makeOwnDirectory(this.path);
    const { mode } = await lstat(this.path);
    if ((mode & OPEN_TO_OTHERS) === 0) return;
    const names = await readdir(this.path);
    const isSnapshot = names.includes(SAVE_LOCK) || names.includes(MANIFEST);
    if (names.length > 0 && !(isSnapshot && (await this.#areOwn(names)))) {
      throw new KataError("KATA_SNAPSHOT", `${this.path} holds other files, and other users have access to it`, {
        hint: "a snapshot's directory becomes root's alone: choose a new one, or an empty one",
      });
    }
    await chmod(this.path, 0o700);
  }

  /** Other users may have planted what makes it look like a snapshot's. */
  async #areOwn(names: readonly string[]): Promise<boolean> {
    const found = await Promise.all(names.map((name) => lstat(join(this.path, name))));
    return found.every(({ uid }) => uid === process.getuid?.());
  }

  async #measure(suffix: string): Promise<SnapshotManifest["files"]> {
    const names = (await readdir(this.path)).filter((name) => OURS.test(name) && name.endsWith(`-${suffix}`)).sort();
    const measured = names.map(async (name) => {
      const path = join(this.path, name);
      return [name, { bytes: (await stat(path)).size, digest: await contentDigest(path) }] as const;
    });
    return Object.fromEntries(await Promise.all(measured));
  }

  /** What the manifest does not name: the snapshot before it, or what a call has left that was killed. */
  async #removeOthers(): Promise<void> {
    using _names = await lockNames(this.path);
    const manifest = await readManifest(this.path, this.path).catch(() => undefined);
    const kept = new Set(Object.keys(manifest?.files ?? {}));
    for (const name of await readdir(this.path)) {
      if (OURS.test(name) && !kept.has(name)) await rm(join(this.path, name), { force: true });
    }
  }
}

function lockNames(
  directory: string,
  { shared = false, signal }: { readonly shared?: boolean; readonly signal?: AbortSignal | undefined } = {},
): Promise<FileLock> {
  return lockFile(join(directory, NAMES_LOCK), { deadlineMs: LOCK_DEADLINE_MS, shared, signal });
}
