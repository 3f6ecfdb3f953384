import type { Readable } from "node:stream";

/**
 * Calls back for each chunk, and takes one in a turn of the event loop, so that a flood of them leaves time for all else. Node by
 * itself takes up to 32 of 64 KiB, of which each byte may be a message. Nothing else may pause or resume the stream.
 *
 * @param isFull true while nothing more is to be taken
 * @returns to be called when that may have changed
 */
export function readInTurns(
  source: Readable,
  onChunk: (chunk: Buffer) => void,
  isFull: () => boolean = () => false,
): () => void {
  let isTurnDue = false;
  const readOn = (): void => {
    if (isTurnDue) return;
    isTurnDue = true;
    setImmediate(() => {
      isTurnDue = false;
      if (!isFull()) source.resume();
    });
  };
  source.on("data", (chunk: Buffer) => {
    source.pause();
    readOn();
    onChunk(chunk);
  });
  return readOn;
}
