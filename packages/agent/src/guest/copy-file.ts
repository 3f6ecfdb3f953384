import { constants } from "node:fs";
import { chmod, chown, mkdir, open, rename } from "node:fs/promises";
import { dirname, normalize } from "node:path";
import type { grpc } from "@kata-ts/agent-protocol";
import { invalidArgument } from "../errors.ts";

const ALLOWED = "/run/kata-containers/";

/** Writes one chunk of a file that the host sends. It gets its name with the last chunk. */
export async function copyFile(request: grpc.CopyFileRequest): Promise<void> {
  const path = normalize(request.path);
  if (!path.startsWith(ALLOWED)) throw invalidArgument(`CopyFile: path ${path} is not below ${ALLOWED}`);
  const offset = Number(request.offset.toString());
  const size = Number(request.file_size.toString());
  if (offset + request.data.length > size) throw invalidArgument("CopyFile: chunk is beyond the end of the file");
  await mkdir(dirname(path), { recursive: true, mode: request.dir_mode === 0 ? 0o750 : request.dir_mode & 0o7777 });
  const unfinished = `${path}.kata-copy`;
  const file = await open(unfinished, constants.O_CREAT | constants.O_WRONLY | constants.O_NOFOLLOW, 0o600);
  try {
    if (offset === 0) await file.truncate(0);
    await file.write(request.data, 0, request.data.length, offset);
  } finally {
    await file.close();
  }
  if (offset + request.data.length < size) return;
  await chown(unfinished, request.uid, request.gid);
  await chmod(unfinished, request.file_mode & 0o7777);
  await rename(unfinished, path);
}
