import { ProcessFrame, processFrame, ttrpcReply } from "./guest-frames.ts";
import type { Flood } from "./send-flood.ts";

const MIB = 1024 * 1024;
const ATTACH = processFrame(ProcessFrame.attached);

/** The same frames again and again. */
export function* forever(...frames: readonly Buffer[]): Flood {
  for (;;) yield* frames;
}

/** A reply by ttrpc of four MiB whose last byte never comes. */
export function* neverWhole(): Flood {
  yield ttrpcReply(1, Buffer.alloc(4 * MIB - 64)).subarray(0, -1);
}

/** A process stream that is attached, and then sends the same frames again and again. */
export function* attachedForever(...frames: readonly Buffer[]): Flood {
  yield ATTACH;
  yield* forever(...frames);
}

/** A process stream that sends both outputs byte by byte, by turns. @param bytes of each output */
export function* outputsByteByByte(bytes: number): Flood {
  yield ATTACH;
  const both = Buffer.concat([
    processFrame(ProcessFrame.stdout, Buffer.of(1)),
    processFrame(ProcessFrame.stderr, Buffer.of(2)),
  ]);
  for (let sent = 0; sent < bytes; sent++) yield both;
}
