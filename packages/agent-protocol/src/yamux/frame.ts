/**
 * The yamux frame header, version 0, as hashicorp/yamux specifies it: 12 bytes, big-endian.
 * PROTOCOL.md draws it.
 */
export interface FrameHeader {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  /** Data: bytes that follow. Window update: credit in bytes. Ping: opaque value. Go-away: reason. */
  readonly length: number;
}

export const HEADER_BYTES = 12;

export const FrameType = { Data: 0, WindowUpdate: 1, Ping: 2, GoAway: 3 } as const;

export const Flag = { SYN: 1, ACK: 2, FIN: 4, RST: 8 } as const;

export const GoAwayReason = { Normal: 0, ProtocolError: 1, InternalError: 2 } as const;

/** Each stream starts with this much credit in both directions. */
export const INITIAL_WINDOW: number = 256 * 1024;

/** Thrown for bytes that are not yamux version 0; the session ends with a go-away. */
export class YamuxProtocolError extends Error {
  readonly code = "KATA_YAMUX_PROTOCOL";
  override readonly name = "YamuxProtocolError";
}

export function encodeHeader(header: FrameHeader): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES);
  bytes.writeUInt8(0, 0);
  bytes.writeUInt8(header.type, 1);
  bytes.writeUInt16BE(header.flags, 2);
  bytes.writeUInt32BE(header.streamId, 4);
  bytes.writeUInt32BE(header.length, 8);
  return bytes;
}

export function decodeHeader(bytes: Buffer): FrameHeader {
  const version = bytes.readUInt8(0);
  if (version !== 0) throw new YamuxProtocolError(`yamux version ${String(version)} is not 0`);
  const type = bytes.readUInt8(1);
  if (type > FrameType.GoAway) throw new YamuxProtocolError(`unknown yamux frame type ${String(type)}`);
  return { type, flags: bytes.readUInt16BE(2), streamId: bytes.readUInt32BE(4), length: bytes.readUInt32BE(8) };
}
