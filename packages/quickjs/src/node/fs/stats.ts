import { Buffer } from "../buffer.ts";
import { ERRORS } from "../errno.ts";
import { succeed, tryLibc } from "../libc.ts";
import { constants } from "./constants.ts";
import { type PathArgument, pathOf, pathText } from "./path-argument.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const BASIC_STATS_AND_BIRTH = 0xfff;
const STATX_BYTES = 256;

/** Of struct statx, which is the same on all architectures. */
const FIELDS = { mode: 28, nlink: 16, uid: 20, gid: 24, ino: 32, size: 40, blocks: 48, blksize: 4 } as const;
const TIMES = { atime: 64, birthtime: 80, ctime: 96, mtime: 112 } as const;

class FileType {
  readonly mode: number | bigint;

  constructor(mode: number | bigint) {
    this.mode = mode;
  }

  isFile(): boolean {
    return this.#is(constants.S_IFREG);
  }
  isDirectory(): boolean {
    return this.#is(constants.S_IFDIR);
  }
  isSymbolicLink(): boolean {
    return this.#is(constants.S_IFLNK);
  }
  isFIFO(): boolean {
    return this.#is(constants.S_IFIFO);
  }
  isSocket(): boolean {
    return this.#is(constants.S_IFSOCK);
  }
  isCharacterDevice(): boolean {
    return this.#is(constants.S_IFCHR);
  }
  isBlockDevice(): boolean {
    return this.#is(constants.S_IFBLK);
  }

  #is(type: number): boolean {
    return (Number(this.mode) & constants.S_IFMT) === type;
  }
}

/** Numbers, or bigints where they are asked for; then times are in nanoseconds, too. */
export class Stats extends FileType {
  readonly [field: string]: unknown;

  constructor(raw: Buffer, bigint: boolean) {
    super(bigint ? BigInt(raw.readUInt16LE(FIELDS.mode)) : raw.readUInt16LE(FIELDS.mode));
    const cast = (value: number | bigint): number | bigint => (bigint ? BigInt(value) : Number(value));
    const fields = {
      dev: cast(deviceAt(raw, 136)),
      nlink: cast(raw.readUInt32LE(FIELDS.nlink)),
      uid: cast(raw.readUInt32LE(FIELDS.uid)),
      gid: cast(raw.readUInt32LE(FIELDS.gid)),
      rdev: cast(deviceAt(raw, 128)),
      blksize: cast(raw.readUInt32LE(FIELDS.blksize)),
      ino: cast(raw.readBigUInt64LE(FIELDS.ino)),
      size: cast(raw.readBigUInt64LE(FIELDS.size)),
      blocks: cast(raw.readBigUInt64LE(FIELDS.blocks)),
    };
    Object.assign(this, fields, ...Object.entries(TIMES).map(([name, at]) => timeAt(raw, name, at, bigint)));
  }
}

/** As makedev(3) packs it. */
function deviceAt(raw: Buffer, at: number): bigint {
  const [high, low] = [BigInt(raw.readUInt32LE(at)), BigInt(raw.readUInt32LE(at + 4))];
  return ((high & ~0xfffn) << 32n) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | (low & 0xffn);
}

function timeAt(raw: Buffer, name: string, at: number, bigint: boolean): object {
  const seconds = raw.readBigInt64LE(at);
  const nanoseconds = raw.readUInt32LE(at + 8);
  const milliseconds = Number(seconds) * 1000 + nanoseconds / 1_000_000;
  const date = new Date(milliseconds);
  if (!bigint) return { [`${name}Ms`]: milliseconds, [name]: date };
  const all = seconds * 1_000_000_000n + BigInt(nanoseconds);
  return { [`${name}Ms`]: all / 1_000_000n, [`${name}Ns`]: all, [name]: date };
}

interface StatOptions {
  readonly bigint?: boolean;
  readonly throwIfNoEntry?: boolean;
}

export function statSync(path: PathArgument, options?: StatOptions): Stats | undefined {
  return statPath("stat", path, 0, options);
}

export function lstatSync(path: PathArgument, options?: StatOptions): Stats | undefined {
  return statPath("lstat", path, AT_SYMLINK_NOFOLLOW, options);
}

export function fstatSync(fd: number, { bigint = false }: StatOptions = {}): Stats {
  const raw = Buffer.alloc(STATX_BYTES);
  succeed(tryLibc("statx", fd, "", AT_EMPTY_PATH, BASIC_STATS_AND_BIRTH, raw), "fstat");
  return new Stats(raw, bigint);
}

function statPath(
  name: string,
  path: PathArgument,
  flags: number,
  { bigint = false, throwIfNoEntry = true }: StatOptions = {},
): Stats | undefined {
  const raw = Buffer.alloc(STATX_BYTES);
  const result = tryLibc("statx", AT_FDCWD, pathOf(path), flags, BASIC_STATS_AND_BIRTH, raw);
  const isMissing = result === -ERRORS.ENOENT[0] || result === -ERRORS.ENOTDIR[0];
  if (isMissing && !throwIfNoEntry) return undefined;
  succeed(result, name, { path: pathText(path) });
  return new Stats(raw, bigint);
}

/** What no file can be named is not there. */
export function existsSync(path: PathArgument): boolean {
  try {
    return tryLibc("access", pathOf(path), constants.F_OK) === 0;
  } catch {
    return false;
  }
}

export function accessSync(path: PathArgument, mode: number = constants.F_OK): void {
  succeed(tryLibc("access", pathOf(path), mode), "access", { path: pathText(path) });
}

/** An entry of a directory, with its type. */
export class Dirent extends FileType {
  readonly name: string | Buffer;
  readonly parentPath: string | Uint8Array;

  constructor(name: string | Buffer, parentPath: string | Uint8Array, mode: number) {
    super(mode);
    this.name = name;
    this.parentPath = parentPath;
  }
}
