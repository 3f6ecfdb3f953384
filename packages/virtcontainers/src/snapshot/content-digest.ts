import { createHash } from "node:crypto";
import { open } from "node:fs/promises";

const BLOCK_BYTES = 1024 ** 2;
const ZEROES: Buffer = Buffer.alloc(BLOCK_BYTES);

/**
 * Names what is in a file: SHA-256 over its length, and over each block of a mebibyte with its place, but for blocks of zeroes.
 * A guest's memory is mostly those: they are looked at, and not computed with.
 *
 * @param signal gives up, with its reason
 * @returns 64 hexadecimal digits
 */
export async function contentDigest(path: string, signal?: AbortSignal): Promise<string> {
  await using file = await open(path, "r");
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  let offset = 0;
  for (;;) {
    signal?.throwIfAborted();
    const length = await readBlock(file, buffer, offset);
    const block = buffer.subarray(0, length);
    if (!block.equals(ZEROES.subarray(0, length))) hash.update(`${String(offset)} ${String(length)}\n`).update(block);
    offset += length;
    if (length < BLOCK_BYTES) return hash.update(`${String(offset)}\n`).digest("hex");
  }
}

/** Fills the buffer, unless the file ends before. @returns how many bytes it has */
async function readBlock(file: Awaited<ReturnType<typeof open>>, buffer: Buffer, offset: number): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, offset + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
