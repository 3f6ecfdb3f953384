import { chmodSync, closeSync, constants, lchownSync, openSync } from "node:fs";
import { PATH_ONLY } from "@kata-ts/linux";
import { FileError } from "./file-error.ts";
import { openPath, type Place } from "./place.ts";
import type { Owners } from "./root.ts";

/** What a file that is made, or written, gets. What is not given stays, or is as the kernel makes it, for root. */
export interface FileAttributes {
  /** The lowest twelve bits, whatever the umask. */
  readonly mode?: number | undefined;
  /** As the tree's own users see them. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** @throws FileError for an id that the tree's user namespace does not have */
export function setOwner(place: Place, path: string, { uid, gid }: FileAttributes, owners: Owners): void {
  if (uid === undefined && gid === undefined) return;
  const [owner, group] = outsideOf(path, { uid, gid }, owners);
  lchownSync(place.at, owner, group);
}

const UNCHANGED = 2 ** 32 - 1;

/** For chown(2), which leaves what has the highest id. */
export function outsideOf(path: string, { uid, gid }: FileAttributes, { uids, gids }: Owners): [number, number] {
  try {
    return [uid === undefined ? UNCHANGED : uids.outsideOf(uid), gid === undefined ? UNCHANGED : gids.outsideOf(gid)];
  } catch (error) {
    throw new FileError("EINVAL", path, (error as Error).message, { cause: error });
  }
}

/** Of what is no link: where one has taken its place meanwhile, it is not followed. */
export function setMode(place: Place, mode: number): void {
  const handle = openSync(place.at, PATH_ONLY | constants.O_NOFOLLOW);
  try {
    chmodSync(openPath(handle), mode);
  } finally {
    closeSync(handle);
  }
}
