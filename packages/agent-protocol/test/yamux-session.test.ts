import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { finished } from "node:stream/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeHeader, Flag, FrameType, GoAwayReason, INITIAL_WINDOW } from "../src/yamux/frame.ts";
import { YamuxSession, YamuxSessionClosed } from "../src/yamux/session.ts";
import type { YamuxStream } from "../src/yamux/stream.ts";
import { wirePair } from "./wire-pair.ts";

function sessions(sizes?: readonly number[], onStream?: (stream: YamuxStream) => void): [YamuxSession, YamuxSession] {
  const [left, right] = wirePair(sizes);
  const client = new YamuxSession(left, { role: "client" });
  const server = new YamuxSession(right, onStream === undefined ? { role: "server" } : { role: "server", onStream });
  return [client, server];
}

/** A stream whose end, of whatever kind, is not what the test is about. */
function quiet(stream: YamuxStream): YamuxStream {
  return stream.on("error", () => undefined);
}

function echo(stream: YamuxStream): void {
  stream.pipe(stream);
  stream.on("error", () => undefined);
}

describe("YamuxSession", () => {
  it("carries many streams at once, byte for byte, over any fragmentation", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 }),
        async (payloads, sizes) => {
          const [client] = sessions(sizes, echo);
          const echoed = await Promise.all(
            payloads.map(async (payload) => {
              const stream = quiet(client.open());
              stream.end(Buffer.from(payload));
              return buffer(stream);
            }),
          );
          expect(echoed).toEqual(payloads.map((payload) => Buffer.from(payload)));
          client.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it("half-closes: the other direction goes on after FIN", async () => {
    const [client] = sessions(undefined, (stream) => {
      let received = 0;
      stream.on("data", (chunk: Buffer) => {
        received += chunk.length;
      });
      stream.once("end", () => stream.end(`got ${String(received)}`));
    });
    const stream = quiet(client.open());
    stream.end(Buffer.alloc(1000));
    expect((await buffer(stream)).toString()).toBe("got 1000");
  });

  it("stops the writer when the reader does not read, and goes on when it does", async () => {
    const accepted = Promise.withResolvers<YamuxStream>();
    const [client] = sessions(undefined, accepted.resolve);
    const writer = quiet(client.open());
    const total = 4 * INITIAL_WINDOW;
    let written = 0;
    const writing = (async () => {
      for (; written < total; written += 16_384) {
        if (!writer.write(Buffer.alloc(16_384))) await once(writer, "drain");
      }
      writer.end();
    })();
    const reader = await accepted.promise;
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
    // The window, and what both ends hold in their own buffers.
    expect(written).toBeLessThanOrEqual(INITIAL_WINDOW + 3 * 65_536);
    expect((await buffer(reader)).length).toBe(total);
    await writing;
  });

  it("resets a stream that is destroyed, and only that one", async () => {
    const [client] = sessions(undefined, echo);
    const doomed = quiet(client.open());
    const other = quiet(client.open());
    doomed.destroy(new Error("enough"));
    other.end("still here");
    expect((await buffer(other)).toString()).toBe("still here");
    expect(client.streamCount).toBe(0);
  });

  it("sends the peer a reset", async () => {
    const accepted = Promise.withResolvers<YamuxStream>();
    const [client] = sessions(undefined, accepted.resolve);
    const stream = quiet(client.open());
    const remote = await accepted.promise;
    const failed = once(remote, "error");
    stream.destroy();
    expect((await failed)[0]).toBeInstanceOf(YamuxSessionClosed);
  });

  it("answers pings, and fails those that are pending at the end", async () => {
    const [client, server] = sessions(undefined, echo);
    await client.ping();
    await server.ping();
    const [left] = wirePair();
    const alone = new YamuxSession(left, { role: "client" });
    const pending = alone.ping();
    alone.close();
    await expect(pending).rejects.toThrow(YamuxSessionClosed);
  });

  it("ends every stream when the transport ends", async () => {
    const [left] = wirePair();
    const session = new YamuxSession(left, { role: "client" });
    const stream = quiet(session.open());
    const gone = finished(stream).catch((error: unknown) => error);
    left.destroy();
    expect(await gone).toBeInstanceOf(Error);
    expect(() => session.open()).toThrow(YamuxSessionClosed);
  });

  it("opens nothing more after the peer's go-away", async () => {
    const [left, right] = wirePair();
    const session = new YamuxSession(left, { role: "client" });
    right.write(encodeHeader({ type: FrameType.GoAway, flags: 0, streamId: 0, length: GoAwayReason.Normal }));
    await new Promise(setImmediate);
    expect(() => session.open()).toThrow(YamuxSessionClosed);
  });

  it("resets streams above its limit", async () => {
    const [left, right] = wirePair();
    const server = new YamuxSession(right, { role: "server", maxStreams: 2, onStream: echo });
    const client = new YamuxSession(left, { role: "client" });
    const streams = [quiet(client.open()), quiet(client.open()), quiet(client.open())];
    const [error] = (await once(streams[2] ?? quiet(client.open()), "error")) as [Error];
    expect(error).toBeInstanceOf(YamuxSessionClosed);
    expect(server.streamCount).toBe(2);
  });

  it.each([
    ["another version", Buffer.from("010000000000000100000000", "hex")],
    ["an unknown type", Buffer.from("000900000000000100000000", "hex")],
    ["a stream of our parity", encodeHeader({ type: FrameType.WindowUpdate, flags: Flag.SYN, streamId: 2, length: 0 })],
    ["stream 0", encodeHeader({ type: FrameType.Data, flags: Flag.SYN, streamId: 0, length: 0 })],
    [
      "more data than its window",
      Buffer.concat([
        encodeHeader({ type: FrameType.Data, flags: Flag.SYN, streamId: 1, length: INITIAL_WINDOW + 1 }),
        Buffer.alloc(INITIAL_WINDOW + 1),
      ]),
    ],
  ])("ends the session for %s", async (_what, bytes) => {
    const [left, right] = wirePair();
    const server = new YamuxSession(right, {
      role: "server",
      onStream: (stream) => stream.on("error", () => undefined),
    });
    left.on("data", () => undefined);
    left.write(bytes);
    expect(await server.closed).toMatchObject({ code: "KATA_YAMUX_PROTOCOL" });
  });

  it("masks flags: SYN, data and FIN may come in one frame", async () => {
    const [left, right] = wirePair();
    const accepted = Promise.withResolvers<YamuxStream>();
    new YamuxSession(right, { role: "server", onStream: accepted.resolve });
    left.write(
      Buffer.concat([
        encodeHeader({ type: FrameType.Data, flags: Flag.SYN | Flag.FIN, streamId: 1, length: 5 }),
        Buffer.from("whole"),
      ]),
    );
    expect((await buffer(await accepted.promise)).toString()).toBe("whole");
  });
});
