/**
 * Files below a directory that is taken as a root, as by a process that has it as its `/`: no link leads out of it, whatever changes
 * meanwhile. And tar streams of trees.
 *
 * @example
 * ```ts
 * import { pack, Root, unpack } from "@kata-ts/tree";
 *
 * const web = new Root("/proc/1234/root");
 * await unpack(new Root("/srv/copy"), "/", pack(web, "/etc"));
 * ```
 *
 * @module
 */
export type { FileAttributes } from "./attributes.ts";
export { type ReadOptions, read, type WriteOptions, write } from "./content.ts";
export { FileError } from "./file-error.ts";
export { IdMap } from "./id-map.ts";
export { type MkdirOptions, mkdir, type RemoveOptions, remove, rename } from "./names.ts";
export { type PackOptions, pack } from "./pack.ts";
export { openPath } from "./place.ts";
export { type Owners, Root } from "./root.ts";
export {
  type DetailedEntry,
  type DirectoryEntry,
  type FileStat,
  type FileType,
  list,
  listDetailed,
  stat,
} from "./stat.ts";
export { readTar, type TarEntry } from "./tar/reader.ts";
export { TarError } from "./tar/tar-error.ts";
export { type ContentSink, writeContent } from "./tar/write-content.ts";
export { type UnpackOptions, unpack } from "./unpack.ts";
