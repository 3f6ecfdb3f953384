import type { Duplex } from "node:stream";
import { ByteQueue } from "../byte-queue.ts";

/**
 * How a stream that a guest opens begins, to ask the host for names: with the transport to ask over. What follows is DNS as
 * over TCP: each message with its length, two bytes, before it. A stream over `udp` carries one question and its answer, one over `tcp` whatever the two
 * ends say.
 */
export const DnsTransport = { udp: 0x55, tcp: 0x54 } as const;

/** A DNS message has 65 535 bytes at most: its length fits. */
export function writeDnsMessage(stream: Duplex, message: Uint8Array): void {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  stream.write(Buffer.concat([length, message]));
}

/** One message; undefined when the stream ends before it. */
export async function readDnsMessage(stream: Duplex): Promise<Buffer | undefined> {
  const length = await readBytes(stream, 2);
  return length === undefined ? undefined : readBytes(stream, length.readUInt16BE());
}

/** Exactly so many bytes; undefined when the stream ends before. A peer that sends them one by one costs no more memory. */
export async function readBytes(stream: Duplex, count: number): Promise<Buffer | undefined> {
  const read = new ByteQueue();
  while (read.length < count) {
    const bytes = stream.read() as Buffer | null;
    if (bytes !== null) read.push(bytes);
    else if (stream.readableEnded || stream.destroyed) return undefined;
    else await changed(stream);
  }
  const bytes = read.takeAll();
  if (bytes.length > count) stream.unshift(bytes.subarray(count));
  return bytes.subarray(0, count);
}

const CHANGES = ["readable", "end", "close"] as const;

/** Resolves when there is more to read, or the stream is over. */
function changed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      for (const change of CHANGES) stream.off(change, settle);
      resolve();
    };
    for (const change of CHANGES) stream.on(change, settle);
  });
}
