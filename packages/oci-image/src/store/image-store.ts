import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type FileLock, flushFileSystem, type LockOptions, lockFile, tryLockFile } from "@kata-ts/linux";
import { ImageError } from "../errors.ts";
import { type Image, type ImageLocation, type ImageOptions, openImage } from "../image.ts";
import { familiarName, parseReference, referenceOr } from "../sources/reference.ts";
import { Workspace } from "../workspace.ts";
import { Places } from "./places.ts";
import { References } from "./references.ts";
import { RECORD, ROOTFS, readTree, type StoredImage, type TreeRecord } from "./stored-image.ts";
import { sweepBlobs } from "./sweep-blobs.ts";

export interface PullOptions extends Omit<ImageOptions, "cacheDir"> {
  /** Called once where another process fetches or unpacks the image, and this one waits for it. */
  readonly onWait?: () => void;
  /** How long another process is waited for; half an hour by default. */
  readonly waitMs?: number;
}

export interface RemoveOptions {
  /** What uses the image, for people; undefined where it is not in use. Called while no use of it can begin. */
  readonly userOf?: (image: StoredImage) => string | undefined | Promise<string | undefined>;
}

const WAIT_MS = 1_800_000;
const LOCK_MS = 30_000;
/** So many digits of a digest are no accident. */
const ID = /^(?:sha256:)?([0-9a-f]{6,64})$/;

/**
 * Images that are unpacked once, for all containers of a machine. Many processes may share the directory: of several that
 * want one image, one fetches and unpacks it. What a killed process has left is never taken for an image, and goes with
 * the next pull.
 */
export class ImageStore {
  readonly directory: string;
  readonly #places: Places;
  readonly #references: References;

  private constructor(places: Places) {
    this.directory = places.directory;
    this.#places = places;
    this.#references = new References(places);
  }

  /** @param directory made where it is not there; for this user alone, as images have programs that raise privileges */
  static async open(directory: string): Promise<ImageStore> {
    const places = new Places(resolve(directory));
    await mkdir(places.directory, { recursive: true, mode: 0o700 });
    for (const each of [places.trees, places.references, places.locks]) await mkdir(each, { recursive: true });
    return new ImageStore(places);
  }

  /**
   * Fetches an image, as far as its blobs are not here, and unpacks it where it was not. It gets the name that it was asked
   * for by; another image loses that.
   *
   * @throws ImageError; LinuxError ETIMEDOUT where another process has not finished with it in time
   */
  async pull(location: ImageLocation, options: PullOptions = {}): Promise<StoredImage> {
    const name = nameOf(location);
    using _blobs = await lockFile(this.#places.blobLock, { deadlineMs: LOCK_MS, shared: true, signal: options.signal });
    using _name = await this.#wait(this.#places.nameLock(name), options);
    const image = await openImage(location, { ...options, cacheDir: this.directory });
    using _tree = await this.#wait(this.#places.treeLock(image.digest), options);
    const record = (await this.#read(image.digest)) ?? (await this.#unpack(image));
    await this.#references.set(name, image.digest);
    return this.#stored(record, await this.#references.list());
  }

  /** By a name, or by the beginning of a digest. @throws ImageError KATA_IMAGE_REFERENCE where several begin so */
  async find(text: string): Promise<StoredImage | undefined> {
    const images = await this.list();
    const named = images.find((image) => nameBy(image, text) !== undefined);
    if (named !== undefined) return named;
    const start = ID.exec(text)?.[1];
    if (start === undefined) return undefined;
    const [found, ...more] = images.filter(({ digest }) => digest.startsWith(`sha256:${start}`));
    if (more.length === 0) return found;
    throw new ImageError("KATA_IMAGE_REFERENCE", `the digests of several images begin with ${start}: give more of it`);
  }

  /** All of them, the latest first. */
  async list(): Promise<StoredImage[]> {
    const names = await this.#references.list();
    const records = await Promise.all((await readdir(this.#places.trees)).map((hex) => this.#read(`sha256:${hex}`)));
    return records
      .filter((record) => record !== undefined)
      .sort((a, b) => (a.unpacked > b.unpacked ? -1 : 1))
      .map((record) => this.#stored(record, names));
  }

  /** Keeps an image from being removed until it is disposed: for the time in which a use of it begins. */
  async hold(digest: string, options: Omit<LockOptions, "deadlineMs"> = {}): Promise<FileLock> {
    const lock = await lockFile(this.#places.treeLock(digest), { deadlineMs: LOCK_MS, ...options });
    if (await this.#has(digest)) return lock;
    lock[Symbol.dispose]();
    throw new ImageError("KATA_IMAGE_NOT_FOUND", `the image ${digest} was removed meanwhile`);
  }

  /** Takes a name from an image, which stays. @returns false where no image has the name */
  async untag(name: string): Promise<boolean> {
    using lock = await lockFile(this.#places.nameLock(name), { deadlineMs: LOCK_MS });
    return await this.#forget(name, lock, () => true);
  }

  /**
   * Removes an image with its names, and the blobs that no other image has.
   *
   * @throws ImageError KATA_IMAGE_IN_USE, KATA_IMAGE_NOT_FOUND
   */
  async remove(digest: string, options: RemoveOptions = {}): Promise<void> {
    await using workspace = await Workspace.open(this.directory);
    const names = await this.#take(digest, join(workspace.path, "removed"), options);
    // Behind the image's lock: a pull takes the lock of the name first. A name that is pulled gets another image, or this one anew.
    for (const name of names) {
      using lock = await tryLockFile(this.#places.nameLock(name));
      if (lock !== undefined)
        await this.#forget(name, lock, async (found) => found === digest && !(await this.#has(digest)));
    }
    await this.sweep();
  }

  /** Moves an image out of the store. @returns the names that it has had */
  async #take(digest: string, to: string, { userOf }: RemoveOptions): Promise<readonly string[]> {
    using lock = await lockFile(this.#places.treeLock(digest), { deadlineMs: LOCK_MS });
    const record = await this.#read(digest);
    if (record === undefined) throw new ImageError("KATA_IMAGE_NOT_FOUND", `there is no image ${digest}`);
    const image = this.#stored(record, await this.#references.list());
    const user = await userOf?.(image);
    if (user !== undefined) {
      throw new ImageError("KATA_IMAGE_IN_USE", `the image ${image.names[0] ?? digest} is used by ${user}`);
    }
    await rename(this.#places.tree(digest), to);
    await rm(lock.path, { force: true });
    return image.names;
  }

  /** @param lock the name's, which goes with the name */
  async #forget(
    name: string,
    lock: FileLock,
    isMeant: (digest: string) => boolean | Promise<boolean>,
  ): Promise<boolean> {
    const digest = await this.#references.find(name);
    const goes = digest !== undefined && (await isMeant(digest));
    if (goes) await this.#references.remove(name);
    await rm(lock.path, { force: true });
    return goes;
  }

  /** Removes the blobs that no image here has: of pulls that were given up. @returns their bytes */
  sweep(): Promise<number> {
    return sweepBlobs(this.#places, async () => {
      const images = await this.list();
      return new Set(images.flatMap(({ blobs }) => blobs.map(({ digest }) => digest)));
    });
  }

  async #wait(path: string, { onWait, waitMs = WAIT_MS, signal }: PullOptions): Promise<FileLock> {
    const lock = await tryLockFile(path);
    if (lock !== undefined) return lock;
    onWait?.();
    try {
      return await lockFile(path, { deadlineMs: waitMs, signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  /** It has its name when all of it is on the disk: a tree that is there is whole. */
  async #unpack(image: Image): Promise<TreeRecord> {
    const { digest, config, blobs } = image;
    const tree = this.#places.tree(digest);
    await using workspace = await Workspace.open(this.directory);
    const unfinished = join(workspace.path, "tree");
    const bytes = await image.unpack(join(unfinished, ROOTFS));
    const record = { digest, config, bytes, blobs, unpacked: new Date().toISOString() };
    await writeFile(join(unfinished, RECORD), JSON.stringify(record));
    await flushFileSystem(unfinished);
    // What is there has no record that can be read.
    await rename(tree, join(workspace.path, "damaged")).catch(ignoreMissing);
    await rename(unfinished, tree);
    return record;
  }

  async #has(digest: string): Promise<boolean> {
    return (await this.#read(digest)) !== undefined;
  }

  async #read(digest: string): Promise<TreeRecord | undefined> {
    const record = await readTree(this.#places.tree(digest));
    return record?.digest === digest ? record : undefined;
  }

  #stored({ unpacked, ...record }: TreeRecord, names: readonly { name: string; digest: string }[]): StoredImage {
    return {
      ...record,
      names: names.filter(({ digest }) => digest === record.digest).map(({ name }) => name),
      rootfs: join(this.#places.tree(record.digest), ROOTFS),
      unpacked: new Date(unpacked),
    };
  }
}

/** What an image is called in a store: its familiar name, or the path that it came from, with the tag that was asked for. */
export function nameOf(location: ImageLocation): string {
  if ("registry" in location) return familiarName(parseReference(location.registry));
  const path = resolve("layout" in location ? location.layout : location.archive);
  return location.tag === undefined ? path : `${path}:${location.tag}`;
}

/** The name of an image that people mean by a text: `alpine` is `alpine:latest`. Undefined where it has no such name. */
export function nameBy({ names }: Pick<StoredImage, "names">, text: string): string | undefined {
  const reference = referenceOr(text);
  const meant = [text, resolve(text), ...(reference === undefined ? [] : [familiarName(reference)])];
  return names.find((name) => meant.includes(name));
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
