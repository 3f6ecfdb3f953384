import type { FileHandle } from "node:fs/promises";
import type { TarEntry } from "../tar/reader.ts";

/** Writes a file as its entry has it, with the holes of a sparse one. */
export async function writeContent(file: FileHandle, { content, runs, size }: TarEntry): Promise<void> {
  if (runs === undefined) {
    for await (const piece of content) await file.writeFile(piece);
    return;
  }
  const ahead = [...runs].reverse();
  let run = ahead.pop();
  let done = 0;
  for await (const piece of content) {
    for (let rest = piece; rest.length > 0; ) {
      while (run?.length === done) [run, done] = [ahead.pop(), 0];
      if (run === undefined) break; // The map was checked: it speaks of all data.
      const part = rest.subarray(0, run.length - done);
      await writeAll(file, part, run.offset + done);
      done += part.length;
      rest = rest.subarray(part.length);
    }
  }
  await file.truncate(size);
}

async function writeAll(file: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    done += (await file.write(data, done, data.length - done, position + done)).bytesWritten;
  }
}
