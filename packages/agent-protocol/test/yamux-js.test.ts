import type { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { Client, Server } from "yamux-js";
import { encodeHeader, HEADER_BYTES } from "../src/yamux/frame.ts";
import { YamuxFrameReader } from "../src/yamux/frame-reader.ts";
import { YamuxSession } from "../src/yamux/session.ts";
import { wirePair } from "./wire-pair.ts";

/** yamux-js drops frames that arrive in pieces: it is fed whole ones only (docs/adr/0003). */
function feedWholeFrames(from: Duplex, peer: Duplex): void {
  let whole: Buffer[] = [];
  let left = 0;
  const flush = (): void => {
    if (left > 0) return;
    peer.write(Buffer.concat(whole));
    whole = [];
  };
  const reader = new YamuxFrameReader({
    header: (header) => {
      whole.push(encodeHeader(header));
      left = header.type === 0 ? header.length : 0;
      flush();
    },
    body: (_id, piece) => {
      whole.push(Buffer.from(piece));
      left -= piece.length;
      flush();
    },
  });
  from.on("data", (chunk: Buffer) => {
    reader.push(chunk);
  });
  peer.on("data", (chunk: Buffer) => {
    from.write(chunk);
  });
}

const QUIET = { enableKeepAlive: false, logger: () => undefined };

describe("interoperation with yamux-js, as far as yamux-js can go", () => {
  it("exchanges data with its server", async () => {
    const [ours, theirs] = wirePair();
    const server = new Server((stream) => {
      stream.on("data", (chunk: Buffer) => stream.write(Buffer.concat([Buffer.from("re: "), chunk])));
    }, QUIET);
    feedWholeFrames(theirs, server);
    const session = new YamuxSession(ours, { role: "client" });
    const stream = session.open();
    stream.on("error", () => undefined);
    const reply: Promise<string> = new Promise((resolve) =>
      stream.once("data", (chunk: Buffer) => {
        resolve(chunk.toString());
      }),
    );
    stream.write("question");
    expect(await reply).toBe("re: question");
    session.close();
  });

  it("accepts streams of its client", async () => {
    const [ours, theirs] = wirePair();
    const received: Promise<string> = new Promise((resolve) => {
      new YamuxSession(ours, {
        role: "server",
        onStream: (stream) =>
          stream.once("data", (chunk: Buffer) => {
            resolve(chunk.toString());
          }),
      });
    });
    const client = new Client(QUIET);
    feedWholeFrames(theirs, client);
    client.open().write("hello from yamux-js");
    expect(await received).toBe("hello from yamux-js");
  });

  it("shows why it is only a test peer: its reader loses frames that arrive in two chunks", async () => {
    const received: Buffer[] = [];
    const server = new Server((stream) => stream.on("data", (chunk: Buffer) => received.push(chunk)), QUIET);
    const body = Buffer.from("0123456789");
    const open = encodeHeader({ type: 1, flags: 1, streamId: 1, length: 0 });
    const frame = Buffer.concat([encodeHeader({ type: 0, flags: 0, streamId: 1, length: body.length }), body]);
    server.write(open);
    server.write(frame.subarray(0, HEADER_BYTES + 4));
    server.write(frame.subarray(HEADER_BYTES + 4));
    await new Promise(setImmediate);
    expect(Buffer.concat(received).length).toBeLessThan(body.length);
  });
});
