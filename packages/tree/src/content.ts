import { closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { type FileAttributes, outsideOf } from "./attributes.ts";
import { errnoOf, FileError, fileErrorOf, named } from "./file-error.ts";
import { type Root, refuseKernels } from "./root.ts";
import { pauseNow } from "./turns.ts";

const PIECE_BYTES = 256 * 1024;
/** Files of the kernel's say that they are empty: what they have is read up to here. */
const MAX_UNSIZED_BYTES = 16 * 2 ** 20;

export interface ReadOptions {
  /** Bytes to begin at. */
  readonly offset?: number | undefined;
  /** How many bytes at most; all by default. */
  readonly length?: number | undefined;
}

/** The content of a regular file, as long as it is when it is opened: one that grows without end is read to an end. */
export async function* read(
  root: Root,
  path: string,
  { offset = 0, length = Number.POSITIVE_INFINITY }: ReadOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  const fd = await named(path, () => root.file(path, constants.O_RDONLY));
  try {
    const { size } = fstatSync(fd);
    const end = Math.min(offset + length, size === 0 ? MAX_UNSIZED_BYTES : size);
    for (let at = offset; at < end; ) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - at));
      const count = readSync(fd, piece, 0, piece.length, at);
      if (count === 0) return;
      at += count;
      yield piece.subarray(0, count);
      await pauseNow();
    }
  } catch (error) {
    throw fileErrorOf(error, path);
  } finally {
    closeSync(fd);
  }
}

export interface WriteOptions extends FileAttributes {
  /** Behind what the file has, instead of in its place. */
  readonly append?: boolean | undefined;
  /** Only a file that is not there yet. */
  readonly exclusive?: boolean | undefined;
}

const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NOFOLLOW } = constants;
const MAX_RETRIES = 3;

/** Writes a regular file, and makes it where there is none, of mode 644 unless another is given. Links are followed. @returns bytes */
export function write(
  root: Root,
  path: string,
  content: AsyncIterable<Buffer>,
  { append = false, exclusive = false, ...attributes }: WriteOptions = {},
): Promise<number> {
  return named(path, async () => {
    const [uid, gid] = outsideOf(path, attributes, root.owners);
    const { fd, isNew } = await openForWriting(root, path, append ? O_APPEND : O_TRUNC, exclusive);
    try {
      let written = 0;
      for await (const piece of content) {
        writeAll(fd, piece);
        written += piece.length;
      }
      if (attributes.uid !== undefined || attributes.gid !== undefined) fchownSync(fd, uid, gid);
      // Behind the owner: the kernel takes set-id bits away with it.
      if (attributes.mode !== undefined || isNew) fchmodSync(fd, attributes.mode ?? 0o644);
      return written;
    } finally {
      closeSync(fd);
    }
  });
}

async function openForWriting(
  root: Root,
  path: string,
  how: number,
  exclusive: boolean,
): Promise<{ readonly fd: number; readonly isNew: boolean }> {
  for (let round = 0; ; round += 1) {
    try {
      if (!exclusive) return { fd: await root.file(path, O_WRONLY | how), isNew: false };
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
    }
    try {
      using place = await root.place(path);
      if (place.isRoot) throw new FileError("EISDIR", path, "it is a directory");
      refuseKernels(place.directory, path);
      return { fd: openSync(place.at, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600), isNew: true };
    } catch (error) {
      // It was made meanwhile, or is a link to nothing.
      if (exclusive || errnoOf(error) !== "EEXIST") throw error;
      if (round === MAX_RETRIES)
        throw new FileError("ENOENT", path, "it is a link that leads to nothing", { cause: error });
    }
  }
}

/** At the place where the descriptor is. */
export function writeAll(fd: number, data: Uint8Array, position?: number): void {
  for (let done = 0; done < data.length; ) {
    done += writeSync(fd, data, done, data.length - done, position === undefined ? null : position + done);
  }
}
