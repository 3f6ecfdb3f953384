import { readFileSync } from "node:fs";
import type { FrameHeader } from "../src/yamux/frame.ts";
import { YamuxFrameReader } from "../src/yamux/frame-reader.ts";

/** One direction of the recorded channel, as it arrived. */
export function recordedChunks(direction: "host->guest" | "guest->host"): Buffer[] {
  const lines = readFileSync(new URL("vectors/original-agent-channel.jsonl", import.meta.url), "utf8")
    .trim()
    .split("\n");
  return lines
    .map((line) => JSON.parse(line) as { dir: string; hex: string })
    .filter(({ dir }) => dir === direction)
    .map(({ hex }) => Buffer.from(hex, "hex"));
}

export interface DecodedChannel {
  readonly headers: FrameHeader[];
  /** Bytes of each yamux stream. */
  readonly streams: Map<number, Buffer>;
}

export function decodeYamux(chunks: readonly Buffer[]): DecodedChannel {
  const channel: DecodedChannel = { headers: [], streams: new Map() };
  const reader = new YamuxFrameReader({
    header: (header) => channel.headers.push(header),
    body: (id, piece) => channel.streams.set(id, Buffer.concat([channel.streams.get(id) ?? Buffer.alloc(0), piece])),
  });
  for (const chunk of chunks) reader.push(chunk);
  return channel;
}

const PING_ACK = Buffer.from("000008060100000000", "hex");
const UNKNOWN_TYPE = 0xee;

/**
 * The same bytes with the client's answers to pings turned into frames of an unknown type, which HTTP/2 ignores: those
 * pings were the original server's, and Node ends a connection that answers a ping it never sent.
 */
export function withoutPingAnswers(chunk: Buffer): Buffer {
  const copy = Buffer.from(chunk);
  for (let at = copy.indexOf(PING_ACK); at !== -1; at = copy.indexOf(PING_ACK, at))
    copy.writeUInt8(UNKNOWN_TYPE, at + 3);
  return copy;
}

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA = 0;

/** The gRPC messages of one direction of an HTTP/2 connection, by HTTP/2 stream. */
export function grpcMessages(bytes: Buffer): Map<number, Buffer[]> {
  const data: Map<number, Buffer> = new Map();
  let offset = bytes.subarray(0, PREFACE.length).toString("latin1") === PREFACE ? PREFACE.length : 0;
  while (offset < bytes.length) {
    const length = bytes.readUIntBE(offset, 3);
    const type = bytes.readUInt8(offset + 3);
    const stream = bytes.readUInt32BE(offset + 5) & 0x7fff_ffff;
    const payload = bytes.subarray(offset + 9, offset + 9 + length);
    if (payload.length !== length) throw new Error("truncated HTTP/2 frame");
    if (type === DATA) data.set(stream, Buffer.concat([data.get(stream) ?? Buffer.alloc(0), payload]));
    offset += 9 + length;
  }
  return new Map([...data].map(([stream, content]) => [stream, splitMessages(content)]));
}

function splitMessages(content: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let offset = 0; offset < content.length; ) {
    const length = content.readUInt32BE(offset + 1);
    messages.push(content.subarray(offset + 5, offset + 5 + length));
    offset += 5 + length;
  }
  return messages;
}
