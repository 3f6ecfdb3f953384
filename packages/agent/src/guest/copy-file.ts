import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname, normalize } from "node:path";
import type { grpc } from "@kata-ts/agent-protocol";
import { invalidArgument } from "../errors.ts";

const ALLOWED = "/run/kata-containers/";

/** Writes one chunk of a file that the host sends. It gets its name with the last chunk. */
export function copyFile(request: grpc.CopyFileRequest): void {
  const path = normalize(request.path);
  if (!path.startsWith(ALLOWED)) throw invalidArgument(`CopyFile: path ${path} is not below ${ALLOWED}`);
  const offset = Number(request.offset.toString());
  const size = Number(request.file_size.toString());
  if (offset + request.data.length > size) throw invalidArgument("CopyFile: chunk is beyond the end of the file");
  mkdirSync(dirname(path), { recursive: true, mode: request.dir_mode === 0 ? 0o750 : request.dir_mode & 0o7777 });
  const unfinished = `${path}.kata-copy`;
  const file = openSync(unfinished, constants.O_CREAT | constants.O_WRONLY | constants.O_NOFOLLOW, 0o600);
  try {
    if (offset === 0) ftruncateSync(file, 0);
    writeSync(file, request.data, 0, request.data.length, offset);
  } finally {
    closeSync(file);
  }
  if (offset + request.data.length < size) return;
  chownSync(unfinished, request.uid, request.gid);
  chmodSync(unfinished, request.file_mode & 0o7777);
  renameSync(unfinished, path);
}
