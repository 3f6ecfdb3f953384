import { mkdirSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { type FileAttributes, setMode, setOwner } from "./attributes.ts";
import { errnoOf, FileError, named } from "./file-error.ts";
import { Place } from "./place.ts";
import { removeTree } from "./remove-tree.ts";
import { type Root, refuseKernels } from "./root.ts";

export interface MkdirOptions extends FileAttributes {
  /** Its parents, too, as root's with mode 755; one that exists is no error. */
  readonly recursive?: boolean | undefined;
}

/** Makes a directory, of mode 755 unless another is given. */
export function mkdir(
  root: Root,
  path: string,
  { recursive = false, ...attributes }: MkdirOptions = {},
): Promise<void> {
  return named(path, async () => {
    if (recursive) await makeParents(root, path.replace(/\/+$/, ""));
    using place = await root.place(path);
    if (place.isRoot && recursive) return;
    if (!(await make(root, place, path, recursive))) return;
    setOwner(place, path, attributes, root.owners);
    setMode(place, attributes.mode ?? 0o755);
  });
}

/** Every directory on the way to a path. */
export async function makeParents(root: Root, path: string | Buffer): Promise<void> {
  const bytes = Buffer.from(path);
  for (let end = bytes.indexOf("/", 1); end !== -1; end = bytes.indexOf("/", end + 1)) {
    const parent = bytes.subarray(0, end);
    if (parent.at(-1) === SLASH) continue;
    using place = await root.place(parent);
    if (!place.isRoot && (await make(root, place, parent.toString(), true))) setMode(place, 0o755);
  }
}

const SLASH = 0x2f;

/** @returns false where a directory, or a link to one, is there already and may be */
async function make(root: Root, place: Place, path: string, mayExist: boolean): Promise<boolean> {
  try {
    mkdirSync(place.at, 0o700);
    return true;
  } catch (error) {
    if (!mayExist || errnoOf(error) !== "EEXIST") throw error;
    using _there = new Place(await root.directory(path), Buffer.from("."));
    return false;
  }
}

/** As rename(2): what has the new name already is replaced, but for a directory that is not empty. */
export function rename(root: Root, from: string, to: string): Promise<void> {
  return named(from, async () => {
    using source = await root.place(from);
    using target = await named(to, () => root.place(to));
    refuseRoot(source, from);
    refuseRoot(target, to);
    renameSync(source.at, target.at);
  });
}

export interface RemoveOptions {
  /** A directory with all that is in it. */
  readonly recursive?: boolean | undefined;
  /** What is not there is no error. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Removes a file, a link or a directory; links are never followed. */
export function remove(
  root: Root,
  path: string,
  { recursive = false, force = false, signal }: RemoveOptions = {},
): Promise<void> {
  return named(path, async () => {
    try {
      using place = await root.place(path);
      refuseRoot(place, path);
      if (recursive) await removeTree(place, path, signal);
      else removeOne(place);
    } catch (error) {
      if (!force || errnoOf(error) !== "ENOENT") throw error;
    }
  });
}

function removeOne(place: Place): void {
  try {
    unlinkSync(place.at);
  } catch (error) {
    // POSIX has EPERM for a directory, Linux EISDIR.
    if (!["EISDIR", "EPERM"].includes(errnoOf(error) ?? "")) throw error;
    rmdirSync(place.at);
  }
}

function refuseRoot(place: Place, path: string): void {
  if (place.isRoot) throw new FileError("EBUSY", path, "it is the root, or ends in . or ..");
  refuseKernels(place.directory, path);
}
