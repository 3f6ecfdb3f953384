import { ErrorCode, Flag, Http2Error } from "./protocol.ts";

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly body: Buffer;
}

export const FRAME_HEADER_BYTES = 9;

const NO_BODY: Buffer = Buffer.alloc(0);

export function encodeFrame(type: number, flags: number, streamId: number, body: Buffer = NO_BODY): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + body.length);
  frame.writeUIntBE(body.length, 0, 3);
  frame.writeUInt8(type, 3);
  frame.writeUInt8(flags, 4);
  frame.writeUInt32BE(streamId, 5);
  frame.set(body, FRAME_HEADER_BYTES);
  return frame;
}

/** A body that is one 32-bit number: a reason, or credit. */
export function encodeNumber(value: number): Buffer {
  const body = Buffer.allocUnsafe(4);
  body.writeUInt32BE(value);
  return body;
}

/** @throws Http2Error when a frame of this type has another size */
export function requireSize(frame: Frame, bytes: number): void {
  if (frame.body.length !== bytes) {
    throw new Http2Error(
      ErrorCode.FrameSize,
      `a frame of type ${String(frame.type)} has ${String(frame.body.length)} bytes`,
    );
  }
}

/** The body without padding. @throws Http2Error when there is more padding than body */
export function withoutPadding({ flags, body }: Frame): Buffer {
  if ((flags & Flag.Padded) === 0) return body;
  const padding = body[0] ?? 0;
  if (padding >= body.length) throw new Http2Error(ErrorCode.Protocol, "the padding of a frame exceeds the frame");
  return body.subarray(1, body.length - padding);
}
