import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeHeader, type FrameHeader, FrameType, YamuxProtocolError } from "./frame.ts";
import { YamuxFrameReader } from "./frame-reader.ts";

interface Seen {
  readonly headers: FrameHeader[];
  readonly bodies: Map<number, Buffer>;
}

function read(chunks: readonly Buffer[]): Seen {
  const seen: Seen = { headers: [], bodies: new Map() };
  const reader = new YamuxFrameReader({
    header: (header) => seen.headers.push(header),
    body: (id, piece) => seen.bodies.set(id, Buffer.concat([seen.bodies.get(id) ?? Buffer.alloc(0), piece])),
  });
  for (const chunk of chunks) reader.push(chunk);
  return seen;
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let offset = 0, turn = 0; offset < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(bytes.subarray(offset, offset + size));
    offset += size;
  }
  return chunks;
}

describe("YamuxFrameReader", () => {
  const frame = fc.oneof(
    fc.record({ id: fc.integer({ min: 1, max: 9 }), body: fc.uint8Array({ maxLength: 300 }) }).map(({ id, body }) => ({
      header: { type: FrameType.Data, flags: 0, streamId: id, length: body.length },
      body: Buffer.from(body),
    })),
    fc.record({ flags: fc.integer({ min: 0, max: 15 }), value: fc.nat() }).map(({ flags, value }) => ({
      header: { type: FrameType.Ping, flags, streamId: 0, length: value },
      body: Buffer.alloc(0),
    })),
  );

  it("sees the same frames however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (frames, sizes) => {
          const wire = Buffer.concat(frames.flatMap(({ header, body }) => [encodeHeader(header), body]));
          const seen = read(cut(wire, sizes));
          expect(seen.headers).toEqual(frames.map(({ header }) => header));
          for (const id of new Set(frames.map(({ header }) => header.streamId))) {
            const sent = Buffer.concat(frames.filter(({ header }) => header.streamId === id).map(({ body }) => body));
            expect(seen.bodies.get(id) ?? Buffer.alloc(0)).toEqual(sent);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("takes any bytes as frames or refuses them by its own error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          read([Buffer.from(bytes)]);
        } catch (error) {
          expect(error).toBeInstanceOf(YamuxProtocolError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
