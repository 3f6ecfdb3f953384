import { once } from "node:events";
import { duplexPair } from "node:stream";
import { describe, expect, it } from "vitest";
import { ClientConnection } from "../../src/http2/client-connection.ts";
import type { Field } from "../../src/http2/hpack/static-table.ts";
import { Flag, FrameType } from "../../src/http2/protocol.ts";
import { ServerConnection } from "../../src/http2/server-connection.ts";
import type { Http2Stream, StreamEvents } from "../../src/http2/stream.ts";
import { BEGINNING, data, frame, headers, number, RawPeer, SETTINGS, setting } from "./raw-peer.ts";

const REQUEST: readonly Field[] = [
  [":method", "POST"],
  [":path", "/a/b"],
];
const { Ack, EndHeaders, EndStream, Padded, Priority } = Flag;
const FIRST_WINDOW = 65_535;

/** What a stream was told. */
class Seen implements StreamEvents {
  fields: readonly Field[] = [];
  body = "";
  readonly reset: Promise<Error>;
  readonly ended: Promise<void>;
  readonly #end = Promise.withResolvers<void>();
  readonly #reset = Promise.withResolvers<Error>();

  constructor() {
    this.reset = this.#reset.promise;
    this.ended = this.#end.promise;
  }

  onHeaders(fields: readonly Field[], isEnd: boolean): void {
    this.fields = fields;
    if (isEnd) this.#end.resolve();
  }

  onData(piece: Buffer, isEnd: boolean): void {
    this.body += piece.toString();
    if (isEnd) this.#end.resolve();
  }

  onReset(reason: Error): void {
    this.#reset.resolve(reason);
  }
}

function serve(peer: RawPeer, maxStreams = 100): { readonly streams: Http2Stream[]; readonly seen: Seen[] } {
  const streams: Http2Stream[] = [];
  const seen: Seen[] = [];
  new ServerConnection(peer.near, {
    maxStreams,
    onStream: (stream) => {
      const events = new Seen();
      streams.push(stream);
      seen.push(events);
      return events;
    },
    onEnd: () => undefined,
  });
  peer.send(BEGINNING);
  return { streams, seen };
}

describe("a server's connection", () => {
  it("reads headers and data with padding and priority, and in continuations", async () => {
    const peer = new RawPeer(false);
    const { seen } = serve(peer);
    const whole = headers(1, REQUEST).subarray(9);
    const padded = Buffer.concat([Buffer.of(3), Buffer.alloc(5), whole.subarray(0, 4), Buffer.alloc(3)]);
    peer.send(
      frame(FrameType.Headers, Padded | Priority, 1, padded),
      frame(FrameType.Continuation, 0, 1, whole.subarray(4, 6)),
      frame(FrameType.Continuation, EndHeaders, 1, whole.subarray(6)),
      frame(FrameType.Priority, 0, 1, Buffer.alloc(5)),
      data(1, Buffer.from("\u0002one\0\0"), Padded),
      data(1, Buffer.from("two"), EndStream),
    );
    await pollUntil(() => seen.length === 1);
    await seen[0]?.ended;
    expect(seen[0]?.fields).toEqual(REQUEST);
    expect(seen[0]?.body).toBe("onetwo");
    // Padding counts in the window, and is given back.
    expect(await peer.frame(FrameType.WindowUpdate)).toMatchObject({ streamId: 1, body: number(3) });
  });

  it("takes its bytes one by one", async () => {
    const peer = new RawPeer(false);
    const { seen } = serve(peer);
    for (const byte of Buffer.concat([headers(1, REQUEST), data(1, Buffer.from("body"), EndStream)])) {
      peer.send(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    await seen[0]?.ended;
    expect(seen[0]).toMatchObject({ fields: REQUEST, body: "body" });
  });

  it("answers pings and settings", async () => {
    const peer = new RawPeer(false);
    serve(peer);
    peer.send(frame(FrameType.Ping, 0, 0, Buffer.from("12345678")));
    expect((await peer.frame(FrameType.Ping, Ack)).body.toString()).toBe("12345678");
    expect(await peer.frame(FrameType.Settings, Ack)).toMatchObject({ streamId: 0 });
  });

  it("sends a body as the windows allow, of the stream and of the connection", async () => {
    const peer = new RawPeer(false);
    const { streams } = serve(peer);
    peer.send(frame(FrameType.Settings, 0, 0, setting(4, 10)), headers(1, REQUEST, EndHeaders | EndStream));
    await peer.frame(FrameType.Settings, Ack);
    const body = Buffer.alloc(FIRST_WINDOW + 100, "x");
    await pollUntil(() => streams.length === 1);
    streams[0]?.sendHeaders([[":status", "200"]], false);
    streams[0]?.sendBody(body, [["grpc-status", "0"]]);
    await pollUntil(() => bodyBytes(peer) === 10);
    // Less than was sent already: nothing more may come until the credit is above that.
    peer.send(frame(FrameType.Settings, 0, 0, setting(4, 4)), frame(FrameType.WindowUpdate, 0, 1, number(16)));
    await pollUntil(() => bodyBytes(peer) === 20);
    peer.send(frame(FrameType.WindowUpdate, 0, 1, number(2 * FIRST_WINDOW)));
    await pollUntil(() => bodyBytes(peer) === FIRST_WINDOW);
    peer.send(frame(FrameType.WindowUpdate, 0, 0, number(1000)));
    expect((await peer.body(1)).equals(body)).toBe(true);
    expect(peer.frames.at(-1)).toMatchObject({ type: FrameType.Headers, flags: EndHeaders | EndStream });
  });

  it.each([65_536, 1024])(
    "sends bodies by turns, so that a large one does not hold up a small one, over a transport that buffers %i bytes",
    async (bytes) => {
      const peer = new RawPeer(false, bytes);
      const { streams } = serve(peer);
      peer.send(frame(FrameType.Settings, 0, 0, setting(4, 0)));
      for (const id of [1, 3]) peer.send(headers(id, REQUEST, EndHeaders | EndStream));
      await pollUntil(() => streams.length === 2);
      streams[0]?.sendBody(Buffer.alloc(40_000));
      streams[1]?.sendBody(Buffer.from("small"));
      peer.send(frame(FrameType.Settings, 0, 0, setting(4, 40_000)));
      await peer.body(1);
      const turns = peer.frames.filter(({ type }) => type === FrameType.Data).map(({ streamId }) => streamId);
      expect(turns).toEqual([1, 3, 1, 1]);
    },
  );

  it("says that it uses no table to a decoder with a smaller one than by default", async () => {
    const peer = new RawPeer(false);
    const { streams } = serve(peer);
    peer.send(frame(FrameType.Settings, 0, 0, setting(1, 0)), headers(1, REQUEST, EndHeaders | EndStream));
    await pollUntil(() => streams.length === 1);
    streams[0]?.sendHeaders([[":status", "200"]], true);
    expect((await peer.frame(FrameType.Headers)).body.toString("hex")).toBe("2088");
  });

  it("cuts headers that are longer than a frame", async () => {
    const peer = new RawPeer(false);
    const { streams } = serve(peer);
    peer.send(headers(1, REQUEST, EndHeaders | EndStream));
    await pollUntil(() => streams.length === 1);
    streams[0]?.sendHeaders([["x", "y".repeat(20_000)]], true);
    expect(await peer.frame(FrameType.Continuation)).toMatchObject({ flags: EndHeaders, streamId: 1 });
    expect(await peer.frame(FrameType.Headers)).toMatchObject({ flags: EndStream, streamId: 1 });
  });

  it("refuses streams above their number, and takes others when one is over", async () => {
    const peer = new RawPeer(false);
    const { streams } = serve(peer, 1);
    peer.send(headers(1, REQUEST), headers(3, REQUEST));
    expect(await peer.frame(FrameType.RstStream)).toMatchObject({ streamId: 3, body: number(7) });
    streams[0]?.reset();
    peer.send(headers(5, REQUEST));
    await pollUntil(() => streams.length === 2);
    expect(streams[1]?.id).toBe(5);
  });

  it("resets a stream that goes on after its end, and leaves others alone", async () => {
    const peer = new RawPeer(false);
    const { seen } = serve(peer);
    peer.send(headers(1, REQUEST, EndHeaders | EndStream), headers(3, REQUEST), data(1, Buffer.from("more")));
    expect(await peer.frame(FrameType.RstStream)).toMatchObject({ streamId: 1, body: number(5) });
    expect(await seen[0]?.reset).toMatchObject({ code: "KATA_HTTP2" });
    peer.send(data(3, Buffer.from("other"), EndStream));
    await seen[1]?.ended;
    expect(seen[1]?.body).toBe("other");
  });

  it("tells its streams when the client goes", async () => {
    const peer = new RawPeer(false);
    const { seen } = serve(peer);
    peer.send(headers(1, REQUEST));
    await pollUntil(() => seen.length === 1);
    peer.end();
    expect(await seen[0]?.reset).toMatchObject({ message: "the connection is over" });
  });
});

describe("a client's connection", () => {
  function connect(peer: RawPeer): { readonly client: ClientConnection; readonly leaving: Promise<void> } {
    const leaving = Promise.withResolvers<void>();
    const client = new ClientConnection(peer.near, {
      window: 1000,
      onGoAway: leaving.resolve,
      onEnd: () => undefined,
    });
    return { client, leaving: leaving.promise };
  }

  it("loses the calls that a server which goes away has not taken, and keeps the others", async () => {
    const peer = new RawPeer(true);
    const { client, leaving } = connect(peer);
    const [first, second] = [new Seen(), new Seen()];
    client.open(REQUEST, first).sendBody(Buffer.from("1"));
    client.open(REQUEST, second).sendBody(Buffer.from("2"));
    peer.send(SETTINGS, frame(FrameType.GoAway, 0, 0, Buffer.concat([number(1), number(0)])));
    await leaving;
    expect(await second.reset).toMatchObject({ message: "the server has not taken the call" });
    peer.send(headers(1, [[":status", "200"]]), data(1, Buffer.from("answer"), EndStream));
    await first.ended;
    expect(first.body).toBe("answer");
    expect(client.isOver).toBe(false);
  });

  it("has room for as many streams as the server says", async () => {
    const peer = new RawPeer(true);
    const { client } = connect(peer);
    peer.send(frame(FrameType.Settings, 0, 0, setting(3, 1)));
    await peer.frame(FrameType.Settings, Ack);
    expect(client.hasRoom).toBe(true);
    const stream = client.open(REQUEST, new Seen());
    expect(client.hasRoom).toBe(false);
    const changed = client.roomMayHaveChanged();
    stream.reset();
    await changed;
    expect(client.hasRoom).toBe(true);
  });

  it("does not wait for a server that reads nothing to read its end", async () => {
    const [near] = duplexPair();
    const seen = new Seen();
    const options = { window: 1000, onGoAway: () => undefined, onEnd: () => undefined };
    const client = new ClientConnection(near, options);
    client.open(REQUEST, seen).sendBody(Buffer.alloc(60_000));
    const closed = once(near, "close");
    client.close();
    expect(await seen.reset).toMatchObject({ message: "the connection is over" });
    await closed;
  });
});

function bodyBytes(peer: RawPeer): number {
  return peer.frames.filter(({ type }) => type === FrameType.Data).reduce((sum, { body }) => sum + body.length, 0);
}

async function pollUntil(isTrue: () => boolean): Promise<void> {
  await expect.poll(isTrue, { interval: 1, timeout: 4_000 }).toBe(true);
}
