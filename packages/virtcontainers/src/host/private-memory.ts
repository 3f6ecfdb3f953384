import { open, readFile } from "node:fs/promises";

/** A part of a process's memory. */
export interface MemoryRange {
  /** In the process's numbering. */
  readonly start: number;
  readonly bytes: number;
  /** Where it begins in the file that it was mapped from. */
  readonly offset: number;
}

/** A file, as far as it is written to. */
export interface MemoryTarget {
  truncate(bytes: number): Promise<void>;
  write(block: Buffer, from: number, bytes: number, position: number): Promise<{ readonly bytesWritten: number }>;
}

const BLOCK_BYTES = 1024 ** 2;
const ZEROES: Buffer = Buffer.alloc(BLOCK_BYTES);

/**
 * What a process has mapped privately, to write to it, of a file.
 *
 * @param isWanted is given the name that the kernel has for the file
 */
export async function privateMemoryOf(pid: number, isWanted: (name: string) => boolean): Promise<MemoryRange[]> {
  const maps = await readFile(`/proc/${String(pid)}/maps`, "utf8");
  return privateRanges(maps, isWanted);
}

/** @param maps as the kernel has it in /proc/PID/maps */
export function privateRanges(maps: string, isWanted: (name: string) => boolean): MemoryRange[] {
  return maps.split("\n").flatMap((line) => {
    const [, from = "", to = "", offset = "", name = ""] =
      /^([0-9a-f]+)-([0-9a-f]+) rw.p ([0-9a-f]+) \S+ \d+\s+(\/.*)$/.exec(line) ?? [];
    if (name === "" || !isWanted(name)) return [];
    const start = Number.parseInt(from, 16);
    return [{ start, bytes: Number.parseInt(to, 16) - start, offset: Number.parseInt(offset, 16) }];
  });
}

/**
 * Copies parts of a process's memory to a file, each to its place, without zeroes.
 *
 * @param signal gives up, with its reason
 */
export async function copyMemory(
  pid: number,
  ranges: readonly MemoryRange[],
  target: MemoryTarget,
  signal?: AbortSignal,
): Promise<void> {
  await using memory = await open(`/proc/${String(pid)}/mem`, "r");
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  await target.truncate(Math.max(...ranges.map(({ offset, bytes }) => offset + bytes)));
  for (const { start, bytes, offset } of ranges) {
    for (let done = 0; done < bytes; ) {
      signal?.throwIfAborted();
      const { bytesRead } = await memory.read(buffer, 0, Math.min(BLOCK_BYTES, bytes - done), start + done);
      if (bytesRead === 0) throw new Error(`the memory of process ${String(pid)} ends early`);
      const block = buffer.subarray(0, bytesRead);
      if (!block.equals(ZEROES.subarray(0, bytesRead))) await writeWhole(target, block, offset + done);
      done += bytesRead;
    }
  }
}

/** A file system that is almost full takes a part, and fails with the rest. */
async function writeWhole(target: MemoryTarget, block: Buffer, position: number): Promise<void> {
  for (let done = 0; done < block.length; ) {
    const { bytesWritten } = await target.write(block, done, block.length - done, position + done);
    done += bytesWritten;
  }
}
