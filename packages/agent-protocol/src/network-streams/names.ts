import { once } from "node:events";
import type { Duplex } from "node:stream";

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

/** Exactly so many bytes; undefined when the stream ends before. */
export async function readBytes(stream: Duplex, count: number): Promise<Buffer | undefined> {
  if (count === 0) return Buffer.alloc(0);
  for (;;) {
    const bytes = stream.read(count) as Buffer | null;
    // At its end a stream gives what is left.
    if (bytes !== null) return bytes.length === count ? bytes : undefined;
    if (stream.readableEnded || stream.destroyed) return undefined;
    await Promise.race([once(stream, "readable"), once(stream, "end"), once(stream, "close")]).catch(() => undefined);
  }
}
