import { constants } from "./fs/constants.ts";
import { copyFileSync } from "./fs/copy-file.ts";
import { cpSync } from "./fs/copy-tree.ts";
import { mkdirSync, readdirSync, rmSync } from "./fs/directories.ts";
import { type StatsFs, statfsSync } from "./fs/file-system.ts";
import { closeSync, openSync, readSync, writeSync } from "./fs/files.ts";
import {
  chmodSync,
  chownSync,
  fsyncSync,
  ftruncateSync,
  lchownSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from "./fs/names.ts";
import { accessSync, fstatSync, lstatSync, type Stats, statSync } from "./fs/stats.ts";
import { mkdtempSync } from "./fs/temporary.ts";
import { appendFileSync, readFileSync, writeFileSync } from "./fs/whole-files.ts";
import { setImmediate } from "./loop/timers.ts";

export { constants };

type Later<Args extends unknown[], T> = (...args: Args) => Promise<T>;

/**
 * Done in place, as all work on files here; a failure is a rejection. Either is known at the end of a turn: a program that works
 * through many files leaves others their turn so, as where it waits for each.
 */
function later<Args extends unknown[], T>(body: (...args: Args) => T): Later<Args, T> {
  return (...args) =>
    new Promise((resolve, reject) => {
      try {
        setImmediate(resolve, body(...args));
      } catch (error) {
        setImmediate(reject, error);
      }
    });
}

export const statfs: Later<Parameters<typeof statfsSync>, StatsFs> = later(statfsSync);
export const access: Later<Parameters<typeof accessSync>, void> = later(accessSync);
export const appendFile: Later<Parameters<typeof appendFileSync>, void> = later(appendFileSync);
export const chmod: Later<Parameters<typeof chmodSync>, void> = later(chmodSync);
export const chown: Later<Parameters<typeof chownSync>, void> = later(chownSync);
export const copyFile: Later<Parameters<typeof copyFileSync>, void> = later(copyFileSync);
export const cp: Later<Parameters<typeof cpSync>, void> = later(cpSync);
export const lchown: Later<Parameters<typeof lchownSync>, void> = later(lchownSync);
export const lstat: Later<Parameters<typeof lstatSync>, Stats | undefined> = later(lstatSync);
export const mkdir: Later<Parameters<typeof mkdirSync>, string | undefined> = later(mkdirSync);
export const mkdtemp: Later<Parameters<typeof mkdtempSync>, string> = later(mkdtempSync);
export const readdir: Later<Parameters<typeof readdirSync>, ReturnType<typeof readdirSync>> = later(readdirSync);
export const readFile: Later<Parameters<typeof readFileSync>, ReturnType<typeof readFileSync>> = later(readFileSync);
export const readlink: Later<Parameters<typeof readlinkSync>, string> = later(readlinkSync);
export const realpath: Later<Parameters<typeof realpathSync>, string> = later(realpathSync);
export const rename: Later<Parameters<typeof renameSync>, void> = later(renameSync);
export const rm: Later<Parameters<typeof rmSync>, void> = later(rmSync);
export const rmdir: Later<Parameters<typeof rmdirSync>, void> = later(rmdirSync);
export const stat: Later<Parameters<typeof statSync>, Stats | undefined> = later(statSync);
export const symlink: Later<Parameters<typeof symlinkSync>, void> = later(symlinkSync);
export const unlink: Later<Parameters<typeof unlinkSync>, void> = later(unlinkSync);
export const utimes: Later<Parameters<typeof utimesSync>, void> = later(utimesSync);
export const writeFile: Later<Parameters<typeof writeFileSync>, void> = later(writeFileSync);

const opened = later(openSync);
const closed = later(closeSync);
const readInto = later(readSync);
const written = later(writeSync);
const statOf = later(fstatSync);
const synced = later(fsyncSync);
const truncated = later(ftruncateSync);

/** An open file, which its owner closes: no collection of garbage does. */
class FileHandle {
  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  close(): Promise<void> {
    return closed(this.fd);
  }

  async read(...args: ReadArguments): Promise<{ bytesRead: number; buffer: ArrayBufferView }> {
    return { bytesRead: await readInto(this.fd, ...args), buffer: args[0] };
  }

  async write(...args: WriteArguments): Promise<{ bytesWritten: number }> {
    return { bytesWritten: await written(this.fd, ...args) };
  }

  /** From where the file is read and written next. */
  readFile(options?: Parameters<typeof readFileSync>[1]): ReturnType<typeof readFile> {
    return readFile(this.fd, options);
  }

  /** Where the file is read and written next: nothing is cut off behind it. */
  writeFile(...args: Rest<typeof writeFile>): Promise<void> {
    return writeFile(this.fd, ...args);
  }

  sync(): Promise<void> {
    return synced(this.fd);
  }

  truncate(length = 0): Promise<void> {
    return truncated(this.fd, length);
  }

  stat(): Promise<Stats> {
    return statOf(this.fd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

type Rest<T> = T extends (fd: never, ...rest: infer Args) => unknown ? Args : never;
type ReadArguments = Rest<typeof readSync>;
type WriteArguments = Rest<typeof writeSync>;

export async function open(...args: Parameters<typeof openSync>): Promise<FileHandle> {
  return new FileHandle(await opened(...args));
}
