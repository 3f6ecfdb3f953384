import { type Frame, withoutPadding } from "./frame.ts";
import { ErrorCode, Flag, FrameType, Http2Error } from "./protocol.ts";

/** Of a header block before it is decoded. */
const MAX_BLOCK_BYTES = 64 * 1024;
/** A block of that size needs four frames. */
const MAX_CONTINUATIONS = 16;
const PRIORITY_BYTES = 5;

export interface HeaderBlock {
  readonly streamId: number;
  readonly isEnd: boolean;
  readonly bytes: Buffer;
}

interface Pending {
  readonly streamId: number;
  readonly isEnd: boolean;
  readonly pieces: Buffer[];
  bytes: number;
}

/** Puts the header blocks together that are cut into HEADERS and CONTINUATION frames. */
export class HeaderAssembly {
  #pending: Pending | undefined;

  /**
   * Takes each frame of a connection, in order.
   *
   * @returns a block that is complete now
   * @throws Http2Error for another frame within a block, and for a block above the limits
   */
  take(frame: Frame): HeaderBlock | undefined {
    if (frame.type === FrameType.Continuation) return this.#add(this.#continued(frame), frame, frame.body);
    if (this.#pending !== undefined) throw new Http2Error(ErrorCode.Protocol, "a header block is interrupted");
    if (frame.type !== FrameType.Headers) return undefined;
    const { streamId, flags } = frame;
    const pending = { streamId, isEnd: (flags & Flag.EndStream) !== 0, pieces: [], bytes: 0 };
    return this.#add(pending, frame, withoutPriority(frame));
  }

  #continued({ streamId }: Frame): Pending {
    if (this.#pending?.streamId !== streamId) {
      throw new Http2Error(ErrorCode.Protocol, "a CONTINUATION frame continues no header block");
    }
    return this.#pending;
  }

  #add(pending: Pending, { flags }: Frame, piece: Buffer): HeaderBlock | undefined {
    pending.pieces.push(piece);
    pending.bytes += piece.length;
    if (pending.bytes > MAX_BLOCK_BYTES || pending.pieces.length > 1 + MAX_CONTINUATIONS) {
      throw new Http2Error(ErrorCode.EnhanceYourCalm, "a header block is too long");
    }
    const isComplete = (flags & Flag.EndHeaders) !== 0;
    this.#pending = isComplete ? undefined : pending;
    if (!isComplete) return undefined;
    return { streamId: pending.streamId, isEnd: pending.isEnd, bytes: Buffer.concat(pending.pieces) };
  }
}

function withoutPriority(frame: Frame): Buffer {
  const body = withoutPadding(frame);
  if ((frame.flags & Flag.Priority) === 0) return body;
  if (body.length < PRIORITY_BYTES) throw new Http2Error(ErrorCode.FrameSize, "a HEADERS frame is truncated");
  return body.subarray(PRIORITY_BYTES);
}
