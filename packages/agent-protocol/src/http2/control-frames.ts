import { type Frame, requireSize } from "./frame.ts";
import { ErrorCode, Flag, FrameType, Http2Error, MAX_STREAM_ID } from "./protocol.ts";

/** What frames without headers and data say. */
export interface ControlEvents {
  readonly settings: (body: Buffer) => void;
  /** To be answered with the same. */
  readonly ping: (body: Buffer) => void;
  /** Of a stream, or of the connection, which is stream 0. */
  readonly credit: (streamId: number, bytes: number) => void;
  readonly reset: (streamId: number, reason: number) => void;
  readonly goAway: (lastStream: number) => void;
}

/** Types that are not here mean nothing to a connection of unary calls: PRIORITY, and all that are not known. */
const READERS: ReadonlyMap<number, (frame: Frame, events: ControlEvents) => void> = new Map([
  [FrameType.Settings, readSettings],
  [FrameType.Ping, readPing],
  [FrameType.WindowUpdate, readCredit],
  [FrameType.RstStream, readReset],
  [FrameType.GoAway, readGoAway],
  [FrameType.PushPromise, refusePromise],
]);

/** @throws Http2Error for a frame that is malformed */
export function readControlFrame(frame: Frame, events: ControlEvents): void {
  READERS.get(frame.type)?.(frame, events);
}

function readSettings(frame: Frame, { settings }: ControlEvents): void {
  requireConnection(frame);
  if (isAck(frame)) requireSize(frame, 0);
  else settings(frame.body);
}

function readPing(frame: Frame, { ping }: ControlEvents): void {
  requireSize(frame, 8);
  requireConnection(frame);
  if (!isAck(frame)) ping(frame.body);
}

function readCredit(frame: Frame, { credit }: ControlEvents): void {
  requireSize(frame, 4);
  const bytes = frame.body.readUInt32BE(0) & MAX_STREAM_ID; // The first bit is reserved here, too.
  if (bytes === 0) throw new Http2Error(ErrorCode.Protocol, "a WINDOW_UPDATE gives nothing");
  credit(frame.streamId, bytes);
}

function readReset(frame: Frame, { reset }: ControlEvents): void {
  requireSize(frame, 4);
  reset(frame.streamId, frame.body.readUInt32BE(0));
}

function readGoAway(frame: Frame, { goAway }: ControlEvents): void {
  if (frame.body.length < 8) throw new Http2Error(ErrorCode.FrameSize, "a GOAWAY frame is truncated");
  goAway(frame.body.readUInt32BE(0) & MAX_STREAM_ID);
}

function refusePromise(): void {
  throw new Http2Error(ErrorCode.Protocol, "the peer promises what was not asked for");
}

function isAck({ flags }: Frame): boolean {
  return (flags & Flag.Ack) !== 0;
}

function requireConnection({ streamId, type }: Frame): void {
  if (streamId !== 0) throw new Http2Error(ErrorCode.Protocol, `a frame of type ${String(type)} is for a stream`);
}
