import { nodeError } from "../errors.ts";
import { dirname, resolve } from "../path.ts";
import { copyFileSync } from "./copy-file.ts";
import { mkdirSync, readdirSync } from "./directories.ts";
import { chmodSync, readlinkSync, symlinkSync, unlinkSync, utimesSync } from "./names.ts";
import { lstatSync, type Stats, statSync } from "./stats.ts";

export interface CopyOptions {
  readonly recursive?: boolean;
  /** Of files: directories have the time of the copy. */
  readonly preserveTimestamps?: boolean;
  /** Links keep what they say; otherwise they lead to where the originals do. */
  readonly verbatimSymlinks?: boolean;
}

const RIGHTS = 0o7777;

/** Copies a file, a link, or a directory with all that is in it, over what is there. Owners are not copied. */
export function cpSync(from: string, to: string, options: CopyOptions = {}): void {
  const source = lstatSync(from);
  const target = lstatSync(to, { throwIfNoEntry: false });
  if (source?.isDirectory() === true && options.recursive !== true) {
    throw nodeError("ERR_FS_EISDIR", `Recursive option not enabled, cannot copy a directory: ${from}`);
  }
  if (target !== undefined && source?.ino === target.ino && source?.dev === target.dev) {
    throw nodeError(
      "ERR_FS_CP_EINVAL",
      `Invalid src or dest: cp returned EINVAL (src and dest cannot be the same) ${to}`,
    );
  }
  if (source?.isDirectory() === true && `${resolve(to)}/`.startsWith(`${resolve(from)}/`)) {
    throw nodeError(
      "ERR_FS_CP_EINVAL",
      `Invalid src or dest: cp returned EINVAL (cannot copy ${from} to a subdirectory of self ${to})`,
    );
  }
  mkdirSync(dirname(resolve(to)), { recursive: true });
  copy(from, to, options);
}

function copy(from: string, to: string, options: CopyOptions): void {
  const source = lstatSync(from);
  const target = lstatSync(to, { throwIfNoEntry: false });
  if (source === undefined) return;
  if (source.isDirectory()) copyDirectory(from, to, source, target, options);
  else if (target?.isDirectory() === true) {
    throw nodeError("ERR_FS_CP_NON_DIR_TO_DIR", `Cannot overwrite directory ${to} with non-directory ${from}`);
  } else if (source.isSymbolicLink()) copyLink(from, to, target, options);
  else if (source.isFIFO()) throw nodeError("ERR_FS_CP_FIFO_PIPE", `Cannot copy a FIFO pipe: ${from}`);
  else if (source.isSocket()) throw nodeError("ERR_FS_CP_SOCKET", `Cannot copy a socket file: ${from}`);
  else copyContent(from, to, source, options);
}

function copyDirectory(from: string, to: string, source: Stats, target: Stats | undefined, options: CopyOptions): void {
  if (target !== undefined && statSync(to)?.isDirectory() !== true) {
    throw nodeError("ERR_FS_CP_DIR_TO_NON_DIR", `Cannot overwrite non-directory ${to} with directory ${from}`);
  }
  if (target === undefined) mkdirSync(to);
  for (const name of readdirSync(from) as string[]) copy(`${from}/${name}`, `${to}/${name}`, options);
  // Last: it may not let its owner write.
  if (target === undefined) chmodSync(to, Number(source.mode) & RIGHTS);
}

function copyLink(
  from: string,
  to: string,
  target: Stats | undefined,
  { verbatimSymlinks = false }: CopyOptions,
): void {
  const text = readlinkSync(from);
  if (target !== undefined) unlinkSync(to);
  symlinkSync(verbatimSymlinks ? text : resolve(dirname(from), text), to);
}

function copyContent(from: string, to: string, source: Stats, { preserveTimestamps = false }: CopyOptions): void {
  copyFileSync(from, to);
  if (preserveTimestamps) utimesSync(to, source.atime as Date, source.mtime as Date);
}
