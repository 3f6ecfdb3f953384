import { closeSync, constants, openSync, statSync } from "node:fs";
import { callNumber, zeroed } from "./abi.ts";
import { call, callInThread, LinuxError, syscall } from "./native.ts";

const O_PATH = 0x200000;
const O_CLOEXEC = 0x80000;

/** What Node cannot make of a file. No link is followed at the end of a path. */

/** lsetxattr(2). @param name with its namespace, for example `security.capability` */
export function setExtendedAttribute(path: string | Buffer, name: string | Buffer, value: Uint8Array): void {
  const signature = "int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)";
  const [pathText, nameText] = [terminated(path), terminated(name)];
  call(signature, `${String(name)} of ${String(path)}`, pathText, nameText, Buffer.from(value), value.length, 0);
}

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

const KINDS = { pipe: 0o010_000, character: 0o020_000, block: 0o060_000 } as const;

/** mknod(2): a named pipe or a device, for its owner alone. */
export function makeNode(
  path: string | Buffer,
  kind: keyof typeof KINDS,
  device: DeviceNumber = { major: 0, minor: 0 },
): void {
  const signature = "int mknod(const void *path, unsigned int mode, unsigned long device)";
  call(signature, String(path), terminated(path), KINDS[kind] | 0o600, deviceOf(device));
}

/** Of a device's node on this host; links are followed. */
export function deviceNumber(path: string): DeviceNumber {
  const { rdev } = statSync(path, { bigint: true });
  const major = ((rdev >> 32n) & ~0xfffn) | ((rdev >> 8n) & 0xfffn);
  const minor = ((rdev >> 12n) & 0xffff_ff00n) | (rdev & 0xffn);
  return { major: Number(major), minor: Number(minor) };
}

/** A C string: names on disk are bytes, which need not be text. @throws LinuxError EINVAL where NUL would cut it */
function terminated(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.includes(0)) throw new LinuxError("a path", "EINVAL", JSON.stringify(String(text)));
  return Buffer.concat([bytes, Buffer.alloc(1)]);
}

/** As makedev(3) of glibc packs it. */
function deviceOf({ major, minor }: DeviceNumber): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & ~0xfffn) << 32n) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | (low & 0xffn);
}

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_STATX_FORCE_SYNC = 0x2000;
const STATX_BASIC_STATS = 0x7ff;

/**
 * statx(2) with AT_STATX_FORCE_SYNC: the kernel asks the file's server for its attributes, also where it believes to know
 * them, and forgets what it had read of a file that has changed. In another thread.
 */
export async function refreshAttributes(path: string): Promise<void> {
  const signature = "int statx(int directory, const void *path, int flags, unsigned int mask, void *answer)";
  const flags = AT_SYMLINK_NOFOLLOW | AT_STATX_FORCE_SYNC;
  const answer = zeroed("statx");
  await callInThread(signature, path, AT_FDCWD, terminated(path), flags, STATX_BASIC_STATS, answer);
}

/**
 * syncfs(2): all that was written to the file system of a directory is on its device. In another thread.
 *
 * @throws LinuxError, also for what could not be written earlier
 */
export async function flushFileSystem(directory: string): Promise<void> {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await callInThread("int syncfs(int fd)", directory, fd);
  } finally {
    closeSync(fd);
  }
}

const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_IN_ROOT = 0x10;

/** For reading; a FIFO or a device is opened without waiting for its other end. */
const READ_ONLY = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** For openInRoot: only a name for what is there, which is not opened itself. */
export const PATH_ONLY: number = O_PATH;

/**
 * Opens a file as a process would whose root is a directory: no link in the path leads out of it. In another thread:
 * what is looked up may be on a file system that hangs.
 *
 * @param path below the root, for example `etc/passwd`
 * @param flags as of open(2); for reading by default
 * @param mode of a file that is made
 * @returns a descriptor, the caller's to close
 * @throws LinuxError, ENOENT for what is not there
 */
export async function openInRoot(
  root: string,
  path: string | Buffer,
  flags: number = READ_ONLY,
  mode = 0,
): Promise<number> {
  const directory = openSync(root, O_PATH | constants.O_DIRECTORY);
  try {
    const how = zeroed("open_how");
    how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
    how.writeBigUInt64LE(BigInt(mode), 8);
    how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), 16);
    const signature = "long syscall(long number, int directory, const void *path, void *how, size_t size)";
    return await callInThread(
      signature,
      `${String(path)} in ${root}`,
      callNumber("openat2"),
      directory,
      terminated(path),
      how,
      how.length,
    );
  } finally {
    closeSync(directory);
  }
}

const DIRECTORY_BYTES = 32 * 1024;
/** Of struct linux_dirent64: where its length and its type stand, and where its name begins. */
const [LENGTH_AT, TYPE_AT, NAME_AT] = [16, 18, 19];

const ENTRY_TYPES = {
  1: "pipe",
  2: "character",
  4: "directory",
  6: "block",
  8: "file",
  10: "symlink",
  12: "socket",
} as const;

/** A name in a directory, as bytes. */
export interface DirectoryName {
  readonly name: Buffer;
  /** Undefined where the file system does not say it. */
  readonly type: (typeof ENTRY_TYPES)[keyof typeof ENTRY_TYPES] | undefined;
}

/**
 * What is in a directory, in no order: a directory of any size costs no more memory than some of them. To be read to
 * the end, or left by `break`.
 *
 * @throws an error of the file system, such as ENOTDIR; a link at the end of the path is not followed
 */
export function* namesIn(directory: string | Buffer): Generator<DirectoryName, void, undefined> {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const entries = Buffer.allocUnsafe(DIRECTORY_BYTES);
  try {
    for (;;) {
      const size = syscall(
        "getdents64",
        "int fd, void *entries, size_t size",
        String(directory),
        fd,
        entries,
        entries.length,
      );
      if (size === 0) return;
      for (let at = 0; at < size; at += entries.readUInt16LE(at + LENGTH_AT)) {
        const name = Buffer.from(entries.subarray(at + NAME_AT, entries.indexOf(0, at + NAME_AT)));
        if (isDots(name)) continue;
        const type = entries.readUInt8(at + TYPE_AT);
        yield { name, type: ENTRY_TYPES[type as keyof typeof ENTRY_TYPES] };
      }
    }
  } finally {
    closeSync(fd);
  }
}

function isDots(name: Buffer): boolean {
  return name.length <= 2 && name.every((byte) => byte === 0x2e);
}
