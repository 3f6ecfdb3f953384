import { closeSync, constants, openSync, rmdirSync, unlinkSync } from "node:fs";
import { namesIn, PATH_ONLY } from "@kata-ts/linux";
import { errnoOf, FileError } from "./file-error.ts";
import { openPath, Place } from "./place.ts";
import { pauseNow } from "./turns.ts";

/** Each level holds a directory open. */
export const MAX_DEPTH = 256;

/**
 * Removes what a name stands for, with all below it. What changes meanwhile is taken as it is then: a link that takes a
 * directory's place is removed itself.
 *
 * @throws FileError; what has been removed by then stays so
 */
export async function removeTree(place: Place, path: string, signal?: AbortSignal, depth = 0): Promise<void> {
  signal?.throwIfAborted();
  if (depth > MAX_DEPTH)
    throw new FileError("EMFILE", path, `more than ${String(MAX_DEPTH)} directories are in each other`);
  const directory = openUnlessOther(place);
  if (directory === undefined) {
    unlinkSync(place.at);
    return;
  }
  try {
    // A file system may skip names while others are removed: it is looked again until nothing is left.
    for (let removed = 1; removed > 0; ) {
      removed = 0;
      for (const { name, type } of namesIn(`${openPath(directory)}/.`)) {
        const below = new Place(directory, name, false);
        if (type === undefined || type === "directory") await removeTree(below, path, signal, depth + 1);
        else unlinkSync(below.at);
        removed += 1;
        if (removed % 64 === 0) await pauseNow();
        if (removed % 64 === 0) signal?.throwIfAborted();
      }
    }
  } finally {
    closeSync(directory);
  }
  rmdirSync(place.at);
}

/** Undefined for what is no directory. */
function openUnlessOther(place: Place): number | undefined {
  try {
    return openSync(place.at, PATH_ONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOTDIR" || errno === "ELOOP") return undefined;
    throw error;
  }
}
