import { closeSync, constants, fstatSync, openSync, type Stats, statfsSync } from "node:fs";
import { openInRoot, PATH_ONLY } from "@kata-ts/linux";
import { FileError } from "./file-error.ts";
import { IdMap } from "./id-map.ts";
import { openPath, Place } from "./place.ts";

/** Ids of the tree's users and groups, on the disk and as its own users see them. */
export interface Owners {
  readonly uids: IdMap;
  readonly gids: IdMap;
}

const SAME: Owners = { uids: new IdMap(), gids: new IdMap() };

/** File systems of the kernel's own, from include/uapi/linux/magic.h: what is written there is a command. */
const KERNELS_OWN: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x63677270, // cgroup2
  0x27e0eb, // cgroup
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0xcafe4a11, // bpf
  0x6165676c, // pstore
  0x62656570, // configfs
]);

/**
 * A directory as the root of a tree. Paths are taken as by a process that has it as its `/`: links lead nowhere else, whatever
 * changes them meanwhile.
 */
export class Root {
  readonly owners: Owners;
  readonly #path: string;

  /** @param path of the directory, such as `/proc/PID/root` */
  constructor(path: string, owners: Owners = SAME) {
    this.#path = path;
    this.owners = owners;
  }

  /** Where a path leads; a link at its end is not followed. */
  async place(path: string | Buffer): Promise<Place> {
    const bytes = withoutTrailing(Buffer.from(path));
    const slash = bytes.lastIndexOf("/");
    const name = bytes.subarray(slash + 1);
    if (name.length === 0 || isDots(name)) return new Place(await this.directory(bytes), Buffer.from("."));
    return new Place(await this.directory(bytes.subarray(0, Math.max(slash, 0))), name);
  }

  /** Opens a directory as a name for it. @returns a descriptor, the caller's to close */
  async directory(path: string | Buffer): Promise<number> {
    return this.#open(path, PATH_ONLY | constants.O_DIRECTORY);
  }

  /** Opens what a path leads to, links followed, as a name for it. @returns a descriptor, the caller's to close */
  async handle(path: string): Promise<number> {
    return this.#open(path, PATH_ONLY);
  }

  /**
   * Opens a regular file, links followed. Nothing else is opened: a device could act on it, and a FIFO could wait.
   *
   * @returns a descriptor, the caller's to close
   */
  async file(path: string, flags: number): Promise<number> {
    const handle = await this.handle(path);
    try {
      return reopen(handle, flags, path);
    } finally {
      closeSync(handle);
    }
  }

  #open(path: string | Buffer, flags: number): Promise<number> {
    const relative = withoutLeading(Buffer.from(path));
    return openInRoot(this.#path, relative.length === 0 ? Buffer.from(".") : relative, flags);
  }
}

/** Opens the regular file that a handle names. @throws FileError for what is none */
export function reopen(handle: number, flags: number, path: string): number {
  checkRegular(fstatSync(handle), path);
  if ((flags & (constants.O_WRONLY | constants.O_RDWR)) !== 0) refuseKernels(handle, path);
  return openSync(openPath(handle), flags | constants.O_NONBLOCK | constants.O_NOCTTY);
}

/** A container could lead to them what is written for it. @throws FileError */
export function refuseKernels(fd: number, path: string): void {
  if (KERNELS_OWN.has(statfsSync(openPath(fd)).type))
    throw new FileError("EPERM", path, "it is on a file system of the kernel's, which is not written to");
}

function checkRegular(stats: Stats, path: string): void {
  if (stats.isFile()) return;
  if (stats.isDirectory()) throw new FileError("EISDIR", path, "it is a directory");
  throw new FileError("EINVAL", path, `it is no regular file, but ${kindOf(stats)}`);
}

function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return "a FIFO";
  if (stats.isSocket()) return "a socket";
  return stats.isSymbolicLink() ? "a link" : "a device";
}

function withoutTrailing(path: Buffer): Buffer {
  let end = path.length;
  while (end > 0 && path[end - 1] === SLASH) end -= 1;
  return path.subarray(0, end);
}

function withoutLeading(path: Buffer): Buffer {
  let start = 0;
  while (path[start] === SLASH) start += 1;
  return path.subarray(start);
}

const SLASH = 0x2f;
const DOT = 0x2e;

function isDots(name: Buffer): boolean {
  return name.length <= 2 && name.every((byte) => byte === DOT);
}
