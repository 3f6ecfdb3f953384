import { describe, expect, it } from "vitest";
import { ClientConnection } from "../../src/http2/client-connection.ts";
import type { Field } from "../../src/http2/hpack/static-table.ts";
import { Flag, FrameType } from "../../src/http2/protocol.ts";
import { ServerConnection } from "../../src/http2/server-connection.ts";
import type { StreamEvents } from "../../src/http2/stream.ts";
import { BEGINNING, data, frame, headers, number, RawPeer, SETTINGS, setting } from "./raw-peer.ts";

const REQUEST: readonly Field[] = [[":method", "POST"]];
const { EndHeaders, EndStream, Padded } = Flag;
const FRAME_BYTES = 16_384;
const UNKNOWN = 0xee;
/** More than the allowance for frames that carry nothing, and what time adds to it. */
const FLOOD = 5000;
const CLOSED = [headers(1, REQUEST), frame(FrameType.RstStream, 0, 1, number(8))];

const SILENT: StreamEvents = { onHeaders: () => undefined, onData: () => undefined, onReset: () => undefined };

function repeat(make: (turn: number) => Buffer): Buffer[] {
  return Array.from({ length: FLOOD }, (_, turn) => make(turn));
}

/** What a client sends after its beginning, and the reason that the server ends the connection for. */
const REFUSED: readonly [string, string, readonly Buffer[]][] = [
  ["a frame above 16 KiB", "FrameSize", [frame(UNKNOWN, 0, 0, Buffer.alloc(FRAME_BYTES + 1))]],
  ["SETTINGS for a stream", "Protocol", [frame(FrameType.Settings, 0, 1)]],
  ["SETTINGS that are truncated", "FrameSize", [frame(FrameType.Settings, 0, 0, Buffer.alloc(5))]],
  ["an acknowledgement with settings", "FrameSize", [frame(FrameType.Settings, 1, 0, setting(1, 1))]],
  ["a first window above 2^31 - 1", "FlowControl", [frame(FrameType.Settings, 0, 0, setting(4, 0x8000_0000))]],
  ["push that is neither on nor off", "Protocol", [frame(FrameType.Settings, 0, 0, setting(2, 2))]],
  ["frames that are too small for HTTP/2", "Protocol", [frame(FrameType.Settings, 0, 0, setting(5, 100))]],
  ["a ping of seven bytes", "FrameSize", [frame(FrameType.Ping, 0, 0, Buffer.alloc(7))]],
  ["a ping for a stream", "Protocol", [frame(FrameType.Ping, 0, 1, Buffer.alloc(8))]],
  ["credit of nothing", "Protocol", [frame(FrameType.WindowUpdate, 0, 0, number(0))]],
  ["credit that is truncated", "FrameSize", [frame(FrameType.WindowUpdate, 0, 0, Buffer.alloc(3))]],
  ["credit for a stream that was never opened", "Protocol", [frame(FrameType.WindowUpdate, 0, 5, number(1))]],
  ["a connection's window above 2^31 - 1", "FlowControl", [frame(FrameType.WindowUpdate, 0, 0, number(0x7fff_ffff))]],
  [
    "a stream's window above 2^31 - 1",
    "FlowControl",
    [headers(1, REQUEST), frame(FrameType.WindowUpdate, 0, 1, number(0x7fff_ffff))],
  ],
  [
    "a first window that lifts an open stream's above 2^31 - 1",
    "FlowControl",
    [
      headers(1, REQUEST),
      frame(FrameType.WindowUpdate, 0, 1, number(0x7fff_0000)),
      frame(FrameType.Settings, 0, 0, setting(4, 0x7fff_ffff)),
    ],
  ],
  ["a reset of a stream that was never opened", "Protocol", [frame(FrameType.RstStream, 0, 1, number(8))]],
  ["data of a stream that was never opened", "Protocol", [data(1, Buffer.alloc(1))]],
  ["data of no stream", "Protocol", [data(0, Buffer.alloc(1))]],
  ["more padding than data", "Protocol", [headers(1, REQUEST), data(1, Buffer.of(9, 0, 0), Padded)]],
  [
    "data beyond a stream's window",
    "FlowControl",
    [headers(1, REQUEST), ...Array.from({ length: 5 }, () => data(1, Buffer.alloc(FRAME_BYTES)))],
  ],
  ["a stream with an even number", "Protocol", [headers(2, REQUEST)]],
  ["headers of no stream", "Protocol", [headers(0, REQUEST)]],
  ["headers that end before their priority", "FrameSize", [frame(FrameType.Headers, 0x24, 1, Buffer.alloc(4))]],
  ["a continuation of nothing", "Protocol", [frame(FrameType.Continuation, EndHeaders, 1)]],
  ["headers that are interrupted", "Protocol", [headers(1, REQUEST, 0), frame(FrameType.Ping, 0, 0, Buffer.alloc(8))]],
  [
    "headers that are continued for another stream",
    "Protocol",
    [headers(1, REQUEST, 0), frame(FrameType.Continuation, EndHeaders, 3)],
  ],
  [
    "headers above 64 KiB",
    "EnhanceYourCalm",
    [
      headers(1, REQUEST, 0),
      ...Array.from({ length: 5 }, () => frame(FrameType.Continuation, 0, 1, Buffer.alloc(FRAME_BYTES, 0x82))),
    ],
  ],
  [
    "headers that go on and on",
    "EnhanceYourCalm",
    [headers(1, REQUEST, 0), ...repeat(() => frame(FrameType.Continuation, 0, 1))],
  ],
  ["headers that are not HPACK", "Compression", [frame(FrameType.Headers, EndHeaders, 1, Buffer.of(0x80))]],
  ["a promise", "Protocol", [frame(FrameType.PushPromise, EndHeaders, 1, Buffer.of(0, 0, 0, 2, 0x82))]],
  ["a farewell that is truncated", "FrameSize", [frame(FrameType.GoAway, 0, 0, Buffer.alloc(7))]],
  ["pings without end", "EnhanceYourCalm", repeat(() => frame(FrameType.Ping, 0, 0, Buffer.alloc(8)))],
  ["answers to pings without end", "EnhanceYourCalm", repeat(() => frame(FrameType.Ping, 1, 0, Buffer.alloc(8)))],
  ["settings without end", "EnhanceYourCalm", repeat(() => SETTINGS)],
  ["credit without end", "EnhanceYourCalm", repeat(() => frame(FrameType.WindowUpdate, 0, 0, number(1)))],
  ["priorities without end", "EnhanceYourCalm", repeat(() => frame(FrameType.Priority, 0, 1, Buffer.alloc(5)))],
  ["frames of no known type without end", "EnhanceYourCalm", repeat(() => frame(UNKNOWN, 0, 0))],
  ["farewells without end", "EnhanceYourCalm", repeat(() => frame(FrameType.GoAway, 0, 0, Buffer.alloc(8)))],
  ["empty data without end", "EnhanceYourCalm", [headers(1, REQUEST), ...repeat(() => data(1, Buffer.alloc(0)))]],
  [
    "data that is all padding without end",
    "EnhanceYourCalm",
    [headers(1, REQUEST), ...repeat(() => data(1, Buffer.of(0), Padded))],
  ],
  ["data of a closed stream without end", "EnhanceYourCalm", [...CLOSED, ...repeat(() => data(1, Buffer.alloc(1)))]],
  ["headers of a closed stream without end", "EnhanceYourCalm", [...CLOSED, ...repeat(() => headers(1, REQUEST))]],
  [
    "streams that are opened and reset without end",
    "EnhanceYourCalm",
    repeat((turn) =>
      Buffer.concat([headers(2 * turn + 1, REQUEST), frame(FrameType.RstStream, 0, 2 * turn + 1, number(8))]),
    ),
  ],
  [
    "streams that are opened beyond their number without end",
    "EnhanceYourCalm",
    repeat((turn) => headers(2 * turn + 1, REQUEST)),
  ],
];

describe("a server", () => {
  function serve(peer: RawPeer): void {
    new ServerConnection(peer.near, { maxStreams: 100, onStream: () => SILENT, onEnd: () => undefined });
  }

  it.each(REFUSED)("refuses %s: %s", async (_, reason, frames) => {
    const peer = new RawPeer(false);
    serve(peer);
    peer.send(BEGINNING, ...frames);
    expect(await peer.refusal()).toBe(reason);
  });

  it("refuses what does not begin as HTTP/2 does", async () => {
    const peer = new RawPeer(false);
    serve(peer);
    peer.send(Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    expect(await peer.refusal()).toBe("Protocol");
  });

  it("refuses a beginning without SETTINGS", async () => {
    const peer = new RawPeer(false);
    serve(peer);
    peer.send(BEGINNING.subarray(0, 24), frame(FrameType.Ping, 0, 0, Buffer.alloc(8)));
    expect(await peer.refusal()).toBe("Protocol");
  });
});

/** What a server answers the first call with, and the reason that the client ends the connection for. */
const REFUSED_ANSWERS: readonly [string, string, readonly Buffer[]][] = [
  ["an answer to what was not called", "Protocol", [headers(3, [[":status", "200"]])]],
  ["a stream that the server opens", "Protocol", [headers(2, [[":status", "200"]])]],
  ["a promise", "Protocol", [frame(FrameType.PushPromise, EndHeaders, 1, Buffer.of(0, 0, 0, 2, 0x82))]],
  ["data beyond the first window", "FlowControl", [data(1, Buffer.alloc(FRAME_BYTES)), data(1, Buffer.alloc(1))]],
  ["interim answers without end", "EnhanceYourCalm", repeat(() => headers(1, [[":status", "103"]]))],
  [
    "more after the end of an answer",
    "EnhanceYourCalm",
    [headers(1, [[":status", "200"]], EndHeaders | EndStream), ...repeat(() => data(1, Buffer.alloc(1)))],
  ],
];

describe("a client", () => {
  it.each(REFUSED_ANSWERS)("refuses %s: %s", async (_, reason, frames) => {
    const peer = new RawPeer(true);
    const client = new ClientConnection(peer.near, {
      window: FRAME_BYTES,
      onGoAway: () => undefined,
      onEnd: () => undefined,
    });
    const lost = Promise.withResolvers<Error>();
    client.open(REQUEST, { ...SILENT, onReset: lost.resolve });
    peer.send(SETTINGS, ...frames);
    expect(await peer.refusal()).toBe(reason);
    expect(await lost.promise).toMatchObject({ code: "KATA_HTTP2" });
  });
});
