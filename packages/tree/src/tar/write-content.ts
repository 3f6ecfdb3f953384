import type { TarEntry } from "./reader.ts";

/** A new file. */
export interface ContentSink {
  /** @param position undefined: behind what was written last */
  write(data: Buffer, position: number | undefined): Promise<void> | void;
  truncate(size: number): Promise<void> | void;
}

/** Writes a file as its entry has it, with the holes of a sparse one. */
export async function writeContent({ content, runs, size }: TarEntry, file: ContentSink): Promise<void> {
  if (runs === undefined) {
    for await (const piece of content) await file.write(piece, undefined);
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
      await file.write(part, run.offset + done);
      done += part.length;
      rest = rest.subarray(part.length);
    }
  }
  await file.truncate(size);
}
