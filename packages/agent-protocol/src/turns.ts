import type { Readable } from "node:stream";

export interface TurnOptions {
  /** True while nothing more is to be taken. */
  readonly isFull?: () => boolean;
  /** What may be taken in a turn, by the chunk that reaches it: the first one by default. */
  readonly bytes?: number;
}

/**
 * Calls back for each chunk, and takes a few in a turn of the event loop, so that a flood of them leaves time for all else. Node by
 * itself takes up to 32 of 64 KiB, of which each byte may be a message. The stream is stopped only where more than that comes in
 * a turn: to stop and start it for each chunk is more work than to take one. Nothing else may pause or resume the stream.
 *
 * @returns to be called when `isFull` may have changed
 */
export function readInTurns(
  source: Readable,
  onChunk: (chunk: Buffer) => void,
  { isFull = () => false, bytes = 1 }: TurnOptions = {},
): () => void {
  let isTurnDue = false;
  let taken = 0;
  const readOn = (): void => {
    if (isTurnDue) return;
    isTurnDue = true;
    setImmediate(() => {
      isTurnDue = false;
      taken = 0;
      if (isFull()) source.pause();
      else if (source.isPaused()) source.resume();
    });
  };
  source.on("data", (chunk: Buffer) => {
    if (taken >= bytes) {
      source.pause();
      source.unshift(chunk); // The stream has it: it does not end before.
      return;
    }
    taken += chunk.length;
    readOn();
    onChunk(chunk);
  });
  return readOn;
}
