/** Numbers of HTTP/2, RFC 9113. */

export const FrameType = {
  Data: 0,
  Headers: 1,
  Priority: 2,
  RstStream: 3,
  Settings: 4,
  PushPromise: 5,
  Ping: 6,
  GoAway: 7,
  WindowUpdate: 8,
  Continuation: 9,
} as const;

/** END_STREAM and ACK are the same bit: no type of frame has both. */
export const Flag = { EndStream: 1, Ack: 1, EndHeaders: 4, Padded: 8, Priority: 0x20 } as const;

export const ErrorCode = {
  NoError: 0,
  Protocol: 1,
  Internal: 2,
  FlowControl: 3,
  StreamClosed: 5,
  FrameSize: 6,
  RefusedStream: 7,
  Cancel: 8,
  Compression: 9,
  EnhanceYourCalm: 11,
} as const;

export const PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** The smallest limit that the protocol allows, and the default: a peer never has to send or take a larger one. */
export const MAX_FRAME_BYTES = 16_384;

/** Of a connection, and of each stream until SETTINGS say otherwise. */
export const DEFAULT_WINDOW = 65_535;

export const MAX_WINDOW = 0x7fff_ffff;

export const MAX_STREAM_ID = 0x7fff_ffff;

/** The peer breaks the protocol or floods the connection, which ends by a GOAWAY with this reason. */
export class Http2Error extends Error {
  override readonly name = "Http2Error";
  readonly code = "KATA_HTTP2";
  /** One of ErrorCode. */
  readonly reason: number;

  constructor(reason: number, message: string) {
    super(message);
    this.reason = reason;
  }
}
