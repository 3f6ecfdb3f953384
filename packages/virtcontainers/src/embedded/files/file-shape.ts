import {
  count,
  exactly,
  flag,
  matching,
  object,
  oneOf,
  optional,
  quantity,
  type Shape,
  text,
} from "@kata-ts/linux/shape";
import type { DetailedEntry, DirectoryEntry, FileStat } from "@kata-ts/tree";
import { LIMIT } from "../process-shape.ts";
import type {
  CopyInOptions,
  CopyOutOptions,
  ListOptions,
  MkdirOptions,
  ReadOptions,
  RemoveOptions,
  StatOptions,
  WriteOptions,
} from "./file-options.ts";

const MAX_PATH_BYTES = 4095;
const MAX_ID = 2 ** 32 - 2;

export const containerPath: Shape<string> = matching(
  `an absolute path of at most ${String(MAX_PATH_BYTES)} bytes without NUL`,
  (value): value is string =>
    typeof value === "string" &&
    value.startsWith("/") &&
    !value.includes("\0") &&
    Buffer.byteLength(value) <= MAX_PATH_BYTES,
);

const id: Shape<number> = matching(
  `a whole number from 0 to ${String(MAX_ID)}`,
  (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= MAX_ID,
);
const mode: Shape<number> = matching(
  "a mode, from 0 to 0o7777",
  (value): value is number => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0o7777,
);
const callback = matching("a function", (value): value is () => void => typeof value === "function");
const ATTRIBUTES = { mode: optional(mode), uid: optional(id), gid: optional(id) };

export const statOptions: Shape<StatOptions> = exactly<StatOptions>({ ...LIMIT, follow: optional(flag) });
export const readOptions: Shape<ReadOptions> = exactly<ReadOptions>({
  ...LIMIT,
  offset: optional(count),
  length: optional(count),
  maxBytes: optional(count),
});
export const writeOptions: Shape<WriteOptions> = exactly<WriteOptions>({
  ...LIMIT,
  ...ATTRIBUTES,
  append: optional(flag),
  exclusive: optional(flag),
});
export const listOptions: Shape<ListOptions> = exactly<ListOptions>({
  ...LIMIT,
  maxEntries: optional(count),
  details: optional(flag),
});
export const mkdirOptions: Shape<MkdirOptions> = exactly<MkdirOptions>({
  ...LIMIT,
  ...ATTRIBUTES,
  recursive: optional(flag),
});
export const removeOptions: Shape<RemoveOptions> = exactly<RemoveOptions>({
  ...LIMIT,
  recursive: optional(flag),
  force: optional(flag),
});
export const copyOutOptions: Shape<CopyOutOptions> = exactly<CopyOutOptions>({
  ...LIMIT,
  name: optional(text),
  follow: optional(flag),
  onProgress: optional(callback),
  onWarning: optional(callback),
});
export const copyInOptions: Shape<CopyInOptions> = exactly<CopyInOptions>({
  ...LIMIT,
  owner: optional(exactly<NonNullable<CopyInOptions["owner"]>>({ uid: id, gid: id })),
  onProgress: optional(callback),
  onWarning: optional(callback),
});

const MAX_NAME_LENGTH = 255;

/** As Linux has names: joined to a directory's path, one leads to nothing but an entry of that directory. */
const entryName: Shape<string> = matching(
  "the name of an entry of a directory",
  (value): value is string =>
    typeof value === "string" &&
    value !== "" &&
    value.length <= MAX_NAME_LENGTH &&
    !/[/\0]/.test(value) &&
    value !== "." &&
    value !== "..",
);
const target: Shape<string> = matching(
  `a link's target of at most ${String(MAX_PATH_BYTES)} characters`,
  (value): value is string => typeof value === "string" && value.length <= MAX_PATH_BYTES,
);

/** Of a sparse file it may be more than can be counted exactly. */
const size: Shape<number> = matching(
  "a whole number of bytes, from 0",
  (value): value is number => Number.isInteger(value) && Number(value) >= 0,
);

const STAT = {
  type: oneOf("file", "directory", "symlink", "pipe", "socket", "character", "block"),
  size,
  mode,
  uid: count,
  gid: count,
  mtimeMs: quantity,
  target: optional(target),
} as const;

/** What a guest says of a file. */
export const fileStat: Shape<FileStat> = object<FileStat>(STAT);
export const directoryEntry: Shape<DirectoryEntry> = object<DirectoryEntry>({ name: entryName, type: STAT.type });
export const detailedEntry: Shape<DetailedEntry> = object<DetailedEntry>({ name: entryName, ...STAT });

interface WatchEvent {
  readonly type: "ready" | "rename" | "change" | "overflow";
  readonly name?: string | undefined;
}

export const watchEvent: Shape<WatchEvent> = object<WatchEvent>({
  type: oneOf("ready", "rename", "change", "overflow"),
  name: optional(text),
});
