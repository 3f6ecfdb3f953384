import { Buffer } from "../buffer.ts";
import { invalidArgument } from "../errors.ts";
import { libc, succeed, tryLibc } from "../libc.ts";
import { constants, O_CLOEXEC } from "./constants.ts";
import { type PathArgument, pathOf, pathText } from "./path-argument.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const O_PATH = 0x200000;
const { O_WRONLY } = constants;

/** Calls that take a path, or two, and nothing that has to be read. */

export function mkdirAt(path: PathArgument, mode: number): number {
  return tryLibc("mkdir", pathOf(path), mode);
}

export function rmdirSync(path: PathArgument): void {
  one("rmdir", path);
}

export function unlinkSync(path: PathArgument): void {
  one("unlink", path);
}

export function chmodSync(path: PathArgument, mode: number): void {
  one("chmod", path, mode);
}

export function chownSync(path: PathArgument, uid: number, gid: number): void {
  one("chown", path, uid, gid);
}

export function lchownSync(path: PathArgument, uid: number, gid: number): void {
  one("lchown", path, uid, gid);
}

export function renameSync(from: PathArgument, to: PathArgument): void {
  two("rename", from, to);
}

export function linkSync(existing: PathArgument, path: PathArgument): void {
  two("link", existing, path);
}

export function symlinkSync(target: PathArgument, path: PathArgument): void {
  two("symlink", target, path);
}

export function readlinkSync(path: PathArgument, encoding: BufferEncoding = "utf8"): string {
  const target = Buffer.allocUnsafe(4096);
  const result = tryLibc("readlink", pathOf(path), target, target.length);
  return target.toString(encoding, 0, succeed(result, "readlink", { path: pathText(path) }));
}

/** Of what is there: the kernel says where a descriptor leads. */
export function realpathSync(path: PathArgument): string {
  const details = { path: pathText(path) };
  const fd = succeed(tryLibc("open", pathOf(path), O_PATH | O_CLOEXEC), "lstat", details);
  try {
    return readlinkSync(`/proc/self/fd/${String(fd)}`);
  } finally {
    libc("close", fd);
  }
}

export function truncateSync(path: PathArgument, length = 0): void {
  const fd = succeed(tryLibc("open", pathOf(path), O_WRONLY | O_CLOEXEC), "open", { path: pathText(path) });
  try {
    ftruncateSync(fd, length);
  } finally {
    libc("close", fd);
  }
}

export function fchmodSync(fd: number, mode: number): void {
  libc("fchmod", fd, mode);
}

export function fchownSync(fd: number, uid: number, gid: number): void {
  libc("fchown", fd, uid, gid);
}

export function ftruncateSync(fd: number, length = 0): void {
  libc("ftruncate", fd, length);
}

export function fsyncSync(fd: number): void {
  libc("fsync", fd);
}

type Time = number | string | Date;

export function futimesSync(fd: number, atime: Time, mtime: Time): void {
  succeed(tryLibc("futimens", fd, timesOf(atime, mtime)), "futime");
}

export function utimesSync(path: PathArgument, atime: Time, mtime: Time): void {
  const result = tryLibc("utimensat", AT_FDCWD, pathOf(path), timesOf(atime, mtime), 0);
  succeed(result, "utime", { path: pathText(path) });
}

export function lutimesSync(path: PathArgument, atime: Time, mtime: Time): void {
  const result = tryLibc("utimensat", AT_FDCWD, pathOf(path), timesOf(atime, mtime), AT_SYMLINK_NOFOLLOW);
  succeed(result, "lutime", { path: pathText(path) });
}

/** Two of struct timespec. */
function timesOf(...times: readonly Time[]): Buffer {
  const bytes = Buffer.alloc(32);
  for (const [index, time] of times.entries()) {
    const seconds = time instanceof Date ? time.getTime() / 1000 : Number(time);
    if (!Number.isFinite(seconds)) throw invalidArgument("time", "a number of seconds or a Date", time);
    const whole = Math.floor(seconds);
    bytes.writeBigInt64LE(BigInt(whole), 16 * index);
    bytes.writeBigInt64LE(BigInt(Math.floor((seconds - whole) * 1_000_000) * 1000), 16 * index + 8);
  }
  return bytes;
}

function one(call: string, path: PathArgument, ...args: number[]): void {
  succeed(tryLibc(call, pathOf(path), ...args), call, { path: pathText(path) });
}

function two(call: string, from: PathArgument, to: PathArgument): void {
  succeed(tryLibc(call, pathOf(from), pathOf(to)), call, { path: pathText(from), dest: pathText(to) });
}
