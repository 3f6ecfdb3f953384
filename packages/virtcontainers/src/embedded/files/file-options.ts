import type { LimitOptions } from "../limit.ts";

export interface StatOptions extends LimitOptions {
  /** Whether a link at the end of the path is followed; true by default. */
  readonly follow?: boolean | undefined;
}

export interface ReadOptions extends LimitOptions {
  /** Bytes to begin at. */
  readonly offset?: number | undefined;
  /** Bytes to read at most; all by default. */
  readonly length?: number | undefined;
  /** A longer content is an error, EFBIG; 16 MiB by default. Streams have no such limit. */
  readonly maxBytes?: number | undefined;
}

/** Ids are the container's; what is not given is root's, or stays as it is. */
export interface FileAttributes {
  /** The lowest twelve bits, such as `0o644`, whatever the umask. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

export interface WriteOptions extends LimitOptions, FileAttributes {
  /** Behind what the file has, instead of in its place. */
  readonly append?: boolean | undefined;
  /** Only a file that is not there yet; EEXIST otherwise. */
  readonly exclusive?: boolean | undefined;
}

export interface ListOptions extends LimitOptions {
  /** More entries are an error, EFBIG; 100 000 by default. */
  readonly maxEntries?: number | undefined;
  /** Whether each entry comes with size, mode, owner and times, as `stat` without `follow` has them; false by default. */
  readonly details?: boolean | undefined;
}

export interface MkdirOptions extends LimitOptions, FileAttributes {
  /** Its parents, too; one that exists is no error. */
  readonly recursive?: boolean | undefined;
}

export interface RemoveOptions extends LimitOptions {
  /** A directory with all that is in it. */
  readonly recursive?: boolean | undefined;
  /** What is not there is no error. */
  readonly force?: boolean | undefined;
}

/** How far a copy has come. */
export interface CopyProgress {
  /** Bytes of the tar. */
  readonly bytes: number;
  /** Files, directories and links; told in steps. */
  readonly entries: number;
}

interface CopyOptions extends LimitOptions {
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
  /** Called with what was not copied as it is, and why. The words may hold names of the container's; they have no control characters. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

export interface CopyOutOptions extends CopyOptions {
  /** What the path is called in the tar: its last component by default, `.` for what is in it alone. */
  readonly name?: string | undefined;
  /** Whether a link at the end of the path is followed; false by default. */
  readonly follow?: boolean | undefined;
}

export interface CopyInOptions extends CopyOptions {
  /** Who owns what is made, by the container's ids; as the tar says by default. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/** A change in a directory that is watched. */
export interface FileChange {
  /** `rename` is a name that came or went, `change` a content or an attribute; after `overflow` changes are missing. */
  readonly type: "rename" | "change" | "overflow";
  /** Of the entry. */
  readonly name: string;
}
