import { closeSync, fstatSync, lstatSync, readlinkSync, type Stats } from "node:fs";
import { namesIn } from "@kata-ts/linux";
import { FileError, named } from "./file-error.ts";
import { openPath, Place } from "./place.ts";
import type { Owners, Root } from "./root.ts";
import { pauseNow } from "./turns.ts";

export type FileType = "file" | "directory" | "symlink" | "pipe" | "socket" | "character" | "block";

export interface FileStat {
  readonly type: FileType;
  /** Bytes. */
  readonly size: number;
  /** The lowest twelve bits: permissions, set-id and sticky bits. */
  readonly mode: number;
  /** As the tree's own users see them. */
  readonly uid: number;
  readonly gid: number;
  /** Milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Where a link leads, as it says. */
  readonly target?: string;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly type: FileType;
}

/** An entry with what lstat says of it: links are not followed. */
export type DetailedEntry = DirectoryEntry & FileStat;

const MODE_BITS = 0o7777;

/** @param follow whether a link at the end of the path is followed */
export function stat(
  root: Root,
  path: string,
  { follow = true }: { readonly follow?: boolean } = {},
): Promise<FileStat> {
  return named(path, async () => {
    if (!follow) {
      using place = await root.place(path);
      return statAt(place, root.owners);
    }
    const handle = await root.handle(path);
    try {
      return statOf(fstatSync(handle), root.owners);
    } finally {
      closeSync(handle);
    }
  });
}

/**
 * What is in a directory, in no order. Names that are no UTF-8 have U+FFFD in them.
 *
 * @throws FileError EFBIG once there are more than so many
 */
export async function* list(
  root: Root,
  path: string,
  maxEntries: number = Number.POSITIVE_INFINITY,
): AsyncGenerator<DirectoryEntry, void, undefined> {
  yield* entriesOf(root, path, maxEntries, (place, type) => {
    const known = type ?? typeAt(place);
    return known === undefined ? undefined : { type: known };
  });
}

/** As list(), with what lstat says of each entry. */
export async function* listDetailed(
  root: Root,
  path: string,
  maxEntries: number = Number.POSITIVE_INFINITY,
): AsyncGenerator<DetailedEntry, void, undefined> {
  yield* entriesOf(root, path, maxEntries, (place) => statIfThere(place, root.owners));
}

/** @param look gives what an entry has beside its name; undefined for what has gone meanwhile */
async function* entriesOf<T extends object>(
  root: Root,
  path: string,
  maxEntries: number,
  look: (place: Place, type: FileType | undefined) => T | undefined,
): AsyncGenerator<T & { readonly name: string }, void, undefined> {
  const directory = await named(path, () => root.directory(path));
  try {
    let left = maxEntries;
    for (const { name, type } of namesIn(`${openPath(directory)}/.`)) {
      const found = look(new Place(directory, name, false), type);
      if (found === undefined) continue;
      left -= 1;
      if (left < 0) throw new FileError("EFBIG", path, `it has more than ${String(maxEntries)} entries`);
      yield { name: name.toString(), ...found };
      if (left % 256 === 0) await pauseNow();
    }
  } finally {
    closeSync(directory);
  }
}

/** Undefined for what has gone meanwhile. */
function typeAt(place: Place): FileType | undefined {
  const stats = lstatSync(place.at, { throwIfNoEntry: false });
  return stats === undefined ? undefined : typeOf(stats);
}

function statAt(place: Place, owners: Owners): FileStat {
  const stats = lstatSync(place.at);
  const found = statOf(stats, owners);
  return stats.isSymbolicLink() ? { ...found, target: readlinkSync(place.at) } : found;
}

/** Undefined for what has gone meanwhile, or has become something else. */
function statIfThere(place: Place, owners: Owners): FileStat | undefined {
  try {
    return statAt(place, owners);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EINVAL") return undefined;
    throw error;
  }
}

function statOf(stats: Stats, { uids, gids }: Owners): FileStat {
  return {
    type: typeOf(stats),
    size: stats.size,
    mode: stats.mode & MODE_BITS,
    uid: uids.insideOf(stats.uid),
    gid: gids.insideOf(stats.gid),
    mtimeMs: stats.mtimeMs,
  };
}

export function typeOf(stats: Stats): FileType {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "pipe";
  if (stats.isSocket()) return "socket";
  return stats.isCharacterDevice() ? "character" : "block";
}
