import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

const MIB = 1024 * 1024;
/** Far more than any bound: what is held in proportion to it shows. */
const FLOOD_BYTES = 32 * MIB;
/** A peer whose bytes are not taken for so long is not read any more. */
const STALLED_MS = 1_000;
const CHUNK_BYTES = 64 * 1024;

/** What a hostile peer sends, piece by piece; it may go on for ever. */
export type Flood = Iterable<Buffer>;

/**
 * Sends a flood until all of it is taken, `bytes` are, or none has been for a while.
 *
 * @returns how many bytes were taken
 */
export async function sendFlood(to: Writable, flood: Flood, bytes: number = FLOOD_BYTES): Promise<number> {
  let sent = 0;
  for (const chunk of inChunks(flood)) {
    if (!(await taken(to, chunk))) break;
    sent += chunk.length;
    if (sent >= bytes) break;
  }
  return sent;
}

function* inChunks(flood: Flood): Generator<Buffer> {
  let pieces: Buffer[] = [];
  let size = 0;
  for (const piece of flood) {
    pieces.push(piece);
    size += piece.length;
    if (size < CHUNK_BYTES) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(pieces);
}

/** False when the peer takes nothing any more, or is gone. */
async function taken(to: Writable, chunk: Buffer): Promise<boolean> {
  const stalled = new AbortController();
  const written: Promise<boolean> = new Promise((resolve) => {
    to.write(chunk, (error) => {
      resolve(error === undefined || error === null);
    });
  });
  const late = delay(STALLED_MS, false, { signal: stalled.signal }).catch(() => false);
  try {
    return await Promise.race([written, late]);
  } finally {
    stalled.abort();
  }
}
