import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { dirname } from "node:path";

/** A file that another user owns, or can change: what is in it is that user's word. */
export class ForeignFileError extends Error {
  override readonly name = "ForeignFileError";
  readonly code = "KATA_FOREIGN_FILE";
}

/**
 * Reads a file that this user's programs have written, in a directory of theirs. No link is followed at its end.
 *
 * @throws ForeignFileError where the file or its directory is another user's, or others may write to it; Error ENOENT, ELOOP
 */
export function readOwnFile(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const file = fstatSync(fd);
    if (!file.isFile()) throw new ForeignFileError(`${path} is not a regular file`);
    requireOwn(path, file);
    requireOwn(dirname(path), lstatSync(dirname(path)));
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

function requireOwn(path: string, { uid, mode }: Stats): void {
  if (uid !== process.geteuid?.()) throw new ForeignFileError(`${path} belongs to uid ${String(uid)}`);
  // In a sticky directory others can add files, and touch none of ours.
  if ((mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0) {
    throw new ForeignFileError(`${path} can be changed by other users (mode ${(mode & 0o7777).toString(8)})`);
  }
}
