export interface Front {
  readonly front: Buffer[];
  /** Bytes of the front. */
  readonly size: number;
  readonly rest: readonly Buffer[];
}

/** Splits what is to be sent after at most `limit` bytes, without copying. What is empty is left out. */
export function takeFront(chunks: readonly Buffer[], limit: number): Front {
  const front: Buffer[] = [];
  let size = 0;
  for (const [index, chunk] of chunks.entries()) {
    const part = chunk.subarray(0, limit - size);
    if (part.length > 0) front.push(part);
    size += part.length;
    if (part.length < chunk.length) {
      return { front, size, rest: [chunk.subarray(part.length), ...chunks.slice(index + 1)] };
    }
  }
  return { front, size, rest: [] };
}
