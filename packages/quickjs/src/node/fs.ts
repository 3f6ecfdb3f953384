export { close, fstat, read, readFile, writeFile } from "./fs/callbacks.ts";
export { constants } from "./fs/constants.ts";
export { copyFileSync } from "./fs/copy-file.ts";
export { cpSync } from "./fs/copy-tree.ts";
export { mkdirSync, readdirSync, rmSync } from "./fs/directories.ts";
export { statfsSync } from "./fs/file-system.ts";
export { closeSync, openSync, readSync, readvSync, writeSync, writevSync } from "./fs/files.ts";
export {
  chmodSync,
  chownSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
} from "./fs/names.ts";
export { accessSync, Dirent, existsSync, fstatSync, lstatSync, Stats, statSync } from "./fs/stats.ts";
export { createReadStream, createWriteStream } from "./fs/streams.ts";
export { mkdtempSync } from "./fs/temporary.ts";
export { FSWatcher, watch } from "./fs/watch.ts";
export { appendFileSync, readFileSync, writeFileSync } from "./fs/whole-files.ts";
