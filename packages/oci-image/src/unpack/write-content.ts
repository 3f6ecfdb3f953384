import type { FileHandle } from "node:fs/promises";
import { type TarEntry, writeContent as writeTo } from "@kata-ts/tree";

/** Writes a file as its entry has it, with the holes of a sparse one. */
export function writeContent(file: FileHandle, entry: TarEntry): Promise<void> {
  return writeTo(entry, {
    write: (data, position) => (position === undefined ? file.writeFile(data) : writeAll(file, data, position)),
    truncate: (size) => file.truncate(size),
  });
}

async function writeAll(file: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    done += (await file.write(data, done, data.length - done, position + done)).bytesWritten;
  }
}
