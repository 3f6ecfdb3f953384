import { type Duplex, duplexPair } from "node:stream";
import { encodeFrame, encodeNumber, type Frame } from "../../src/http2/frame.ts";
import { Http2FrameReader } from "../../src/http2/frame-reader.ts";
import { HpackEncoder } from "../../src/http2/hpack/encoder.ts";
import type { Field } from "../../src/http2/hpack/static-table.ts";
import { ErrorCode, Flag, FrameType, PREFACE } from "../../src/http2/protocol.ts";

export { encodeFrame as frame, encodeNumber as number } from "../../src/http2/frame.ts";

const encoder = new HpackEncoder();

export const SETTINGS: Buffer = encodeFrame(FrameType.Settings, 0, 0);
/** What a client begins with. */
export const BEGINNING: Buffer = Buffer.concat([PREFACE, SETTINGS]);

/** A setting's number and value, as SETTINGS carry it. */
export function setting(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.of(0, id), encodeNumber(value)]);
}

export function headers(streamId: number, fields: readonly Field[], flags: number = Flag.EndHeaders): Buffer {
  return encodeFrame(FrameType.Headers, flags, streamId, encoder.encode(fields));
}

export function data(streamId: number, body: Buffer, flags = 0): Buffer {
  return encodeFrame(FrameType.Data, flags, streamId, body);
}

/** The far end of a connection, which says what a test makes it say, and keeps what it is answered. */
export class RawPeer {
  /** What the code under test is given. */
  readonly near: Duplex;
  readonly frames: Frame[] = [];
  readonly #far: Duplex;
  #isClosed = false;
  #wake: () => void = () => undefined;

  /** @param isServer what this end is; @param bufferedBytes what the transport takes before it is full */
  constructor(isServer: boolean, bufferedBytes = 65_536) {
    const [near, far] = duplexPair({ highWaterMark: bufferedBytes });
    this.near = near;
    this.#far = far;
    const reader = new Http2FrameReader(isServer, (frame) => {
      this.frames.push({ ...frame, body: Buffer.from(frame.body) });
    });
    far.on("data", (chunk: Buffer) => {
      reader.push(chunk);
      this.#wake();
    });
    near.once("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  send(...pieces: readonly Buffer[]): void {
    this.#far.write(Buffer.concat(pieces));
  }

  /** Ends the connection. */
  end(): void {
    this.#far.end();
  }

  /** Waits for a frame of a kind; a frame that came before the call counts. @throws Error when the connection ends without it */
  async frame(type: number, flags?: number): Promise<Frame> {
    for (;;) {
      const found = this.frames.find((each) => each.type === type && (flags === undefined || each.flags === flags));
      if (found !== undefined) return found;
      if (this.#isClosed) throw new Error(`the connection ended without a frame of type ${String(type)}`);
      await this.#change();
    }
  }

  /** The body of a stream, once it is over. */
  async body(streamId: number): Promise<Buffer> {
    for (;;) {
      const own = this.frames.filter((each) => each.streamId === streamId);
      if (own.some(({ flags, type }) => type <= FrameType.Headers && (flags & Flag.EndStream) !== 0)) {
        return Buffer.concat(own.filter(({ type }) => type === FrameType.Data).map(({ body }) => body));
      }
      if (this.#isClosed) throw new Error(`the connection ended within stream ${String(streamId)}`);
      await this.#change();
    }
  }

  /** The reason that the connection was ended for, once it is. */
  async refusal(): Promise<string | undefined> {
    const { body } = await this.frame(FrameType.GoAway);
    while (!this.#isClosed) await this.#change();
    const reason = body.readUInt32BE(4);
    return Object.entries(ErrorCode).find(([, code]) => code === reason)?.[0];
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
