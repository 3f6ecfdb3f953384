import { LinuxError } from "@kata-ts/linux";

/** An operation on a file below a root that did not come about. */
export class FileError extends Error {
  readonly code = "KATA_FILE";
  override readonly name = "FileError";
  /** The kernel's name for the reason, such as `ENOENT`; `EFBIG` for what is larger than was allowed, and `EINVAL` for what is no file. */
  readonly errno: string;
  /** As it was given, or as it was found; no text that may be shown without escapes. */
  readonly path: string;

  constructor(errno: string, path: string, reason: string, options?: ErrorOptions) {
    super(`${JSON.stringify(path)}: ${reason}`, options);
    this.errno = errno;
    this.path = path;
  }
}

/** What the kernel's names for reasons say. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EBUSY: "it is in use, or a mount point",
  EEXIST: "it exists",
  EISDIR: "it is a directory",
  ELOOP: "too many links",
  EMFILE: "directories are too deep in each other",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "there is no such file or directory",
  ENOSPC: "no space is left",
  ENOTDIR: "it is no directory, or one of its parents is none",
  ENOTEMPTY: "the directory is not empty",
  EROFS: "the file system is read-only",
  EXDEV: "it is on another file system",
};

/** An error of the file system as a FileError. @returns others as they are */
export function fileErrorOf(error: unknown, path: string): unknown {
  if (error instanceof FileError) return error;
  const errno = errnoOf(error);
  return errno === undefined ? error : new FileError(errno, path, REASONS[errno] ?? errno, { cause: error });
}

/** The kernel's name for the reason of an error; undefined for errors that are not the file system's. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof LinuxError || error instanceof FileError) return error.errno;
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code !== undefined && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** Does something with a file, and gives what fails a FileError with its path. */
export async function named<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileErrorOf(error, path);
  }
}
