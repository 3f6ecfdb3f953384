import { Buffer } from "../buffer.ts";
import { ERRORS } from "../errno.ts";
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

interface ReaddirOptions {
  readonly withFileTypes?: boolean;
  readonly recursive?: boolean;
  readonly encoding?: string | null;
}

export function readdirSync(path: PathArgument, options: ReaddirOptions | string | null = {}): (string | Dirent)[] {
  const { withFileTypes = false, recursive = false } = typeof options === "object" ? (options ?? {}) : {};
  const top = pathText(path);
  const found: (string | Dirent)[] = [];
  const visit = (below: string): void => {
    const directory = below === "" ? top : `${top}/${below}`;
    for (const entry of entriesOf(directory)) {
      const name = below === "" ? entry.name : `${below}/${entry.name}`;
      found.push(withFileTypes ? entry : name);
      if (recursive && entry.isDirectory()) visit(name);
    }
  };
  visit("");
  return found;
}

function entriesOf(directory: string): Dirent[] {
  const fd = openDirectory(directory);
  const entries: Dirent[] = [];
  const raw = Buffer.allocUnsafe(32 * 1024);
  try {
    for (;;) {
      const size = succeed(tryLibc("syscall", GETDENTS64[architecture()], fd, raw, raw.length), "scandir", {
        path: directory,
      });
      if (size === 0) break;
      for (let at = 0; at < size; at += raw.readUInt16LE(at + 16)) {
        const name = raw.toString("utf8", at + NAME_AT, raw.indexOf(0, at + NAME_AT));
        if (name !== "." && name !== "..") entries.push(entryOf(directory, name, raw.readUInt8(at + 18)));
      }
    }
  } finally {
    closeSync(fd);
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1)); // As libuv gives them.
}

function openDirectory(directory: string): number {
  try {
    return openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw Object.assign(error as Error, {
      syscall: "scandir",
      message: (error as Error).message.replace(", open", ", scandir"),
    });
  }
}

/** A file system may not say the type: then it is asked for. */
function entryOf(directory: string, name: string, type: number): Dirent {
  if (type !== 0) return new Dirent(name, directory, type << 12);
  const stats = lstatSync(`${directory}/${name}`, { throwIfNoEntry: false });
  return new Dirent(name, directory, Number(stats?.mode ?? 0));
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
    succeed(mkdirAt(text, mode), "mkdir", { path: text });
    return undefined;
  }
  return mkdirAll(text.replace(/(.)\/+$/, "$1"), mode, text);
}

function mkdirAll(path: string, mode: number, asked: string): string | undefined {
  const result = mkdirAt(path, mode);
  if (result === 0) return path;
  if (result === -ERRORS.ENOENT[0] && path.includes("/")) {
    const first = mkdirAll(path.slice(0, path.lastIndexOf("/")) || "/", mode, asked);
    succeed(mkdirAt(path, mode), "mkdir", { path: asked });
    return first ?? path;
  }
  if (result === -ERRORS.EEXIST[0] && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    return undefined;
  succeed(result, "mkdir", { path: asked });
  return undefined;
}

interface RmOptions {
  readonly recursive?: boolean;
  readonly force?: boolean;
}

export function rmSync(path: PathArgument, { recursive = false, force = false }: RmOptions = {}): void {
  const text = pathText(path);
  const stats = lstatSync(text, { throwIfNoEntry: !force });
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    unlinkSync(text);
    return;
  }
  if (!recursive) {
    const error = new Error(`Path is a directory: rm returned EISDIR (is a directory) ${text}`);
    throw Object.assign(error, { code: "ERR_FS_EISDIR", path: text, syscall: "rm" });
  }
  for (const { name } of entriesOf(text)) rmSync(`${text}/${name}`, { recursive, force });
  rmdirSync(text);
}
