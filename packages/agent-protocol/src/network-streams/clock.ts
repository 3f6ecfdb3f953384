import type { Duplex } from "node:stream";
import { readBytes } from "./names.ts";

/** How a stream begins that a guest opens to ask for the time; it is the first question, and each further byte another. */
export const CLOCK = 0x43;
/** Of one stream. */
export const MAX_QUESTIONS = 16;
export const TIME_BYTES = 8;

/** Asks once more, over a stream that begins with this. @returns milliseconds since 1970; undefined when the stream ends */
export async function askTime(stream: Duplex): Promise<number | undefined> {
  stream.write(Buffer.of(CLOCK));
  const answer = await readBytes(stream, TIME_BYTES);
  return answer === undefined ? undefined : timeOf(answer);
}

export function timeOf(answer: Buffer): number {
  return Number(answer.readBigUInt64BE()) / 1000;
}

/** @param milliseconds since 1970 */
export function writeTime(stream: Duplex, milliseconds: number): void {
  const answer = Buffer.alloc(TIME_BYTES);
  answer.writeBigUInt64BE(BigInt(Math.round(milliseconds * 1000)));
  stream.write(answer);
}
