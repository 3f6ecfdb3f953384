import { isEncoding } from "../buffer/encodings.ts";
import { Buffer } from "../buffer.ts";
import { ERRORS } from "../errno.ts";
import { nodeError } from "../errors.ts";
import { succeed, tryLibc } from "../libc.ts";
import { architecture } from "../machine.ts";
import { constants } from "./constants.ts";
import { closeSync, openSync } from "./files.ts";
import { mkdirAt, rmdirSync, unlinkSync } from "./names.ts";
import { type PathArgument, pathText } from "./path-argument.ts";
import { Dirent, lstatSync, statSync } from "./stats.ts";

/** getdents64(2), by architecture. */
const GETDENTS64: Readonly<Record<string, number>> = { x64: 217, arm64: 61 };
const NAME_AT = 19;
const [SELF, PARENT] = [Buffer.from("."), Buffer.from("..")];
const SLASH = Buffer.from("/");

interface ReaddirOptions {
  readonly withFileTypes?: boolean;
  readonly recursive?: boolean;
  readonly encoding?: string | null;
}

/** Names are in UTF-8, in another encoding, or as the file system has them: `buffer`. What is below a directory follows what is beside it. */
export function readdirSync(
  path: PathArgument,
  options: ReaddirOptions | string | null = {},
): (string | Buffer | Dirent)[] {
  const given = typeof options === "string" ? { encoding: options } : (options ?? {});
  const { withFileTypes = false, recursive = false, encoding } = given;
  const written = writtenIn(encoding);
  const top = path instanceof Uint8Array ? Buffer.from(path) : Buffer.from(pathText(path));
  const found: (string | Buffer | Dirent)[] = [];
  const directories: { readonly place: Buffer; readonly below: Buffer }[] = [{ place: top, below: Buffer.alloc(0) }];
  for (const { place: directory, below } of directories) {
    const parent = directory === top && path instanceof Uint8Array ? path : directory.toString();
    for (const { name, type } of sortedEntriesOf(directory)) {
      const [place, relative] = [Buffer.concat([directory, SLASH, name]), Buffer.concat([below, name])];
      const entry = new Dirent(written(name), parent, type === 0 ? modeOf(place) : type << 12);
      found.push(withFileTypes ? entry : written(relative));
      if (recursive && entry.isDirectory()) directories.push({ place, below: Buffer.concat([relative, SLASH]) });
    }
  }
  return found;
}

/** @throws TypeError ERR_INVALID_ARG_VALUE for an encoding that is none */
function writtenIn(encoding: string | null | undefined): (name: Buffer) => string | Buffer {
  if (encoding === "buffer") return (name) => name;
  if (encoding === undefined || encoding === null) return (name) => name.toString();
  if (isEncoding(encoding)) return (name) => name.toString(encoding);
  const message = `The argument 'encoding' is invalid encoding. Received '${encoding}'`;
  throw nodeError("ERR_INVALID_ARG_VALUE", message, TypeError);
}

/** As libuv gives them. */
function sortedEntriesOf(directory: Buffer): RawEntry[] {
  return rawEntriesOf(directory).sort((a, b) => Buffer.compare(a.name, b.name));
}

interface RawEntry {
  /** As the file system has it, which need not be UTF-8. */
  readonly name: Buffer;
  /** 0 where the file system does not say it. */
  readonly type: number;
}

function rawEntriesOf(directory: PathArgument): RawEntry[] {
  const fd = openDirectory(directory);
  const entries: RawEntry[] = [];
  try {
    for (;;) {
      const raw = Buffer.allocUnsafe(32 * 1024);
      const size = succeed(tryLibc("syscall", GETDENTS64[architecture()], fd, raw, raw.length), "scandir", {
        path: pathText(directory),
      });
      if (size === 0) break;
      for (let at = 0; at < size; at += raw.readUInt16LE(at + 16)) {
        const name = raw.subarray(at + NAME_AT, raw.indexOf(0, at + NAME_AT));
        if (!name.equals(SELF) && !name.equals(PARENT)) entries.push({ name, type: raw.readUInt8(at + 18) });
      }
    }
  } finally {
    closeSync(fd);
  }
  return entries;
}

function openDirectory(directory: PathArgument): number {
  try {
    return openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw Object.assign(error as Error, {
      syscall: "scandir",
      message: (error as Error).message.replace(", open", ", scandir"),
    });
  }
}

/** For a file system that does not say the type. */
function modeOf(path: Buffer): number {
  return Number(lstatSync(path, { throwIfNoEntry: false })?.mode ?? 0);
}

interface MkdirOptions {
  readonly recursive?: boolean;
  readonly mode?: number;
}

/** @returns with `recursive` the first directory that was made */
export function mkdirSync(path: PathArgument, options: MkdirOptions | number = {}): string | undefined {
  const { recursive = false, mode = 0o777 } = typeof options === "number" ? { mode: options } : options;
  const text = pathText(path);
  if (!recursive) {
    succeed(mkdirAt(path, mode), "mkdir", { path: text });
    return undefined;
  }
  return mkdirAll(text.replace(/(.)\/+$/, "$1"), mode, text);
}

function mkdirAll(path: string, mode: number, asked: string): string | undefined {
  const result = mkdirAt(path, mode);
  if (result !== -ERRORS.ENOENT[0] || !path.includes("/")) return isMade(path, result, asked) ? path : undefined;
  const first = mkdirAll(path.slice(0, path.lastIndexOf("/")) || "/", mode, asked);
  const isNew = isMade(path, mkdirAt(path, mode), asked);
  return first ?? (isNew ? path : undefined);
}

/** @returns false where it was there already: another program may have made it a moment ago. @throws what mkdir(2) says otherwise */
function isMade(path: string, result: number, asked: string): boolean {
  if (result === -ERRORS.EEXIST[0] && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return false;
  succeed(result, "mkdir", { path: asked });
  return true;
}

interface RmOptions {
  readonly recursive?: boolean;
  readonly force?: boolean;
}

export function rmSync(path: PathArgument, { recursive = false, force = false }: RmOptions = {}): void {
  const stats = lstatSync(path, { throwIfNoEntry: !force });
  if (stats === undefined) return;
  if (stats.isDirectory() && !recursive) {
    const text = pathText(path);
    const error = new Error(`Path is a directory: rm returned EISDIR (is a directory) ${text}`);
    throw Object.assign(error, { code: "ERR_FS_EISDIR", path: text, syscall: "rm" });
  }
  try {
    if (stats.isDirectory()) removeTree(path instanceof Uint8Array ? path : Buffer.from(pathText(path)));
    else unlinkSync(path);
  } catch (error) {
    // Another program may remove the same.
    if (!force || (error as { readonly code?: string }).code !== "ENOENT") throw error;
  }
}

function removeTree(path: Uint8Array): void {
  for (const { name } of rawEntriesOf(path)) {
    rmSync(Buffer.concat([path, SLASH, name]), { recursive: true, force: true });
  }
  rmdirSync(path);
}
