import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync, type Stats } from "node:fs";
import { namesIn, PATH_ONLY } from "@kata-ts/linux";
import { errnoOf, FileError, fileErrorOf, named } from "./file-error.ts";
import { openPath, Place } from "./place.ts";
import { MAX_DEPTH } from "./remove-tree.ts";
import { type Root, reopen } from "./root.ts";
import { typeOf } from "./stat.ts";
import { encodeHeader, endOfTar, padding, TypeFlag } from "./tar/writer.ts";
import { pauseNow } from "./turns.ts";

export interface PackOptions {
  /** What the path is called in the tar: its last component by default, and `.` for a root. */
  readonly name?: string | undefined;
  /** Whether a link at the end of the path is followed; one below it never is. */
  readonly follow?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with each entry that is begun. */
  readonly onEntry?: (() => void) | undefined;
  /** Called with what is not in the tar as it is in the tree, and why. */
  readonly warn?: ((message: string) => void) | undefined;
}

const PIECE_BYTES = 256 * 1024;
/** Files with several names of which the first is remembered; of others each name gets the content. */
const MAX_LINKED = 100_000;

/**
 * A tar of what a path leads to, with all below it: bytes and names as they are, owners as the tree's users see them, links as links. A file
 * has the length that it had when it was opened, also where it grows or shrinks meanwhile. Sockets are left out.
 */
export async function* pack(
  root: Root,
  path: string,
  options: PackOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  using place = await named(path, () => (options.follow === true ? followed(root, path) : root.place(path)));
  const name = options.name === undefined ? place.name : Buffer.from(options.name);
  try {
    yield* new Packing(root, options).entry(place, name.toString("latin1"), false, 0);
    yield endOfTar();
  } catch (error) {
    throw fileErrorOf(error, path);
  }
}

/** As the kernel: so many links may be followed before it is a loop. */
const MAX_LINKS = 40;

/** The place of what is no link any more. */
async function followed(root: Root, path: string): Promise<Place> {
  let at = Buffer.from(path).toString("latin1");
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const place = await root.place(Buffer.from(at, "latin1"));
    if (!lstatSync(place.at).isSymbolicLink()) return place;
    const target = readlinkSync(place.at, "latin1");
    place[Symbol.dispose]();
    at = target.startsWith("/") ? target : `${at.replace(/\/*[^/]*\/*$/, "")}/${target}`;
  }
  throw new FileError("ELOOP", path, "too many links");
}

class Packing {
  readonly #root: Root;
  readonly #options: PackOptions;
  readonly #linked: Map<string, string> = new Map();

  constructor(root: Root, options: PackOptions) {
    this.#root = root;
    this.#options = options;
  }

  /** @param isBelow what is below the first entry may have gone */
  async *entry(place: Place, path: string, isBelow: boolean, depth: number): AsyncGenerator<Buffer, void, undefined> {
    this.#options.signal?.throwIfAborted();
    if (depth > MAX_DEPTH)
      throw new FileError("EMFILE", readable(path), `more than ${String(MAX_DEPTH)} directories are in each other`);
    const stats = isBelow ? lstatSync(place.at, { throwIfNoEntry: false }) : lstatSync(place.at);
    if (stats === undefined) return; // It has gone meanwhile.
    this.#options.onEntry?.();
    if (stats.isDirectory()) yield* this.#directory(place, path, stats, depth);
    else if (stats.isFile()) yield* this.#file(place, path, stats);
    else if (stats.isSocket()) this.#options.warn?.(`${readable(path)}: a socket is left out`);
    else yield this.#header(path, stats, stats.isSymbolicLink() ? readlinkSync(place.at, "latin1") : undefined);
  }

  async *#directory(place: Place, path: string, stats: Stats, depth: number): AsyncGenerator<Buffer, void, undefined> {
    yield this.#header(`${path}/`, stats);
    const directory = openHandle(place, constants.O_DIRECTORY);
    if (directory === undefined) return;
    try {
      let seen = 0;
      for (const { name } of namesIn(`${openPath(directory)}/.`)) {
        yield* this.entry(new Place(directory, name, false), `${path}/${name.toString("latin1")}`, true, depth + 1);
        seen += 1;
        if (seen % 32 === 0) await pauseNow();
      }
    } finally {
      closeSync(directory);
    }
  }

  async *#file(place: Place, path: string, found: Stats): AsyncGenerator<Buffer, void, undefined> {
    const first = this.#firstName(found, path);
    if (first !== undefined) {
      yield this.#header(path, found, first, TypeFlag.link);
      return;
    }
    const fd = openFile(place, readable(path));
    if (fd === undefined) return;
    try {
      const stats = fstatSync(fd);
      yield this.#header(path, stats);
      let left = stats.size;
      while (left > 0) {
        this.#options.signal?.throwIfAborted();
        const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, left));
        const count = readSync(fd, piece, 0, piece.length, stats.size - left);
        if (count === 0) {
          this.#options.warn?.(`${readable(path)}: became shorter by ${String(left)} bytes, for which zeros stand`);
          yield* zeros(left);
          break;
        }
        left -= count;
        yield piece.subarray(0, count);
        await pauseNow();
      }
      yield padding(stats.size);
    } finally {
      closeSync(fd);
    }
  }

  /** Of a file that was packed under another name. */
  #firstName({ nlink, dev, ino }: Stats, path: string): string | undefined {
    if (nlink < 2) return undefined;
    const key = `${String(dev)}:${String(ino)}`;
    const first = this.#linked.get(key);
    if (first === undefined && this.#linked.size < MAX_LINKED) this.#linked.set(key, path);
    return first;
  }

  #header(
    path: string,
    stats: Pick<Stats, "mode" | "uid" | "gid" | "size" | "mtimeMs" | "rdev">,
    link?: string,
    type?: string,
  ): Buffer {
    const { uids, gids } = this.#root.owners;
    const { mode, uid, gid, size, mtimeMs, rdev } = stats;
    const flag = type ?? TypeFlag[typeOf(stats as Stats) as keyof typeof TypeFlag];
    return encodeHeader({
      type: flag,
      path,
      link,
      mode: mode & 0o7777,
      uid: uids.insideOf(uid),
      gid: gids.insideOf(gid),
      size: flag === TypeFlag.file ? size : 0,
      mtime: mtimeMs / 1000,
      major: ((rdev >> 8) & 0xfff) >>> 0,
      minor: ((rdev & 0xff) | ((rdev >> 12) & 0xfff00)) >>> 0,
    });
  }
}

/** Undefined for one that has gone, or is something else now. */
function openFile(place: Place, path: string): number | undefined {
  const handle = openHandle(place, 0);
  if (handle === undefined) return undefined;
  try {
    return fstatSync(handle).isFile() ? reopen(handle, constants.O_RDONLY, path) : undefined;
  } finally {
    closeSync(handle);
  }
}

const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

/** A name for what is there, never for what a link there leads to; undefined for what has gone, or is something else now. */
function openHandle(place: Place, flags: number): number | undefined {
  try {
    return openSync(place.at, PATH_ONLY | constants.O_NOFOLLOW | flags);
  } catch (error) {
    if (GONE.has(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}

function* zeros(count: number): Generator<Buffer, void, undefined> {
  for (let left = count; left > 0; left -= PIECE_BYTES) yield Buffer.alloc(Math.min(left, PIECE_BYTES));
}

function readable(path: string): string {
  return Buffer.from(path, "latin1").toString();
}
