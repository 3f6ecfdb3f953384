import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  answerByteByByte,
  type Flood,
  FloodingServer,
  forever,
  grpcMessage,
  Http2,
  http2AnswerBegins,
  http2Beginning,
  http2Frame,
  isHttp2,
  type Meeting,
  neverWhole,
  ttrpcReply,
  WatchedProgram,
} from "@kata-ts/fuzzing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 60_000;
const CALLER = join(import.meta.dirname, "caller.ts");
const END_HEADERS = 4;
const STATUS_103 = Buffer.from([0x48, 0x03, 0x31, 0x30, 0x33]);

const TTRPC: readonly [string, () => Flood][] = [
  ["the same answer again and again", () => forever(ttrpcReply(1, Buffer.alloc(16)))],
  ["empty answers", () => forever(ttrpcReply(1, Buffer.alloc(0)))],
  ["answers as large as may be", () => forever(ttrpcReply(1, Buffer.alloc(4 * MIB - 64)))],
  ["answers that are never whole", neverWhole],
  ["answers to what was not called", () => forever(ttrpcReply(2 ** 31 - 1, Buffer.alloc(16)))],
];

/** Frames that an agent may send, or may not, without end. */
const HTTP2: readonly [string, Buffer][] = [
  ["pings", http2Frame(Http2.ping, 0, 0, Buffer.alloc(8))],
  ["settings", http2Frame(Http2.settings, 0, 0)],
  ["credit", http2Frame(Http2.windowUpdate, 0, 0, Buffer.from([0, 0, 0, 1]))],
  ["interim answers", http2Frame(Http2.headers, END_HEADERS, 1, STATUS_103)],
  ["empty data", Buffer.concat([http2Frame(Http2.data, 0, 1)])],
  ["data beyond all windows", http2Frame(Http2.data, 0, 1, Buffer.alloc(16_384))],
  ["headers that go on", http2Frame(Http2.continuation, 0, 1, Buffer.alloc(64))],
  ["promises", http2Frame(Http2.pushPromise, END_HEADERS, 1, Buffer.from([0, 0, 0, 2, 0x82]))],
  ["other services", http2Frame(Http2.altsvc, 0, 0, Buffer.from("\u0000\u0003a=1h2=:1"))],
  ["frames of no known kind", http2Frame(Http2.unknown, 0, 1, Buffer.alloc(8))],
];

describe("a program that calls an agent which floods it", () => {
  let directory = "";
  let path = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "call-flood-"));
    path = join(directory, "agent.sock");
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  async function expectBounded(bytes: number, meet: (head: Buffer) => Meeting): Promise<void> {
    await using program = new WatchedProgram(CALLER, [`unix://${path}`]);
    const before = await program.before();
    using guest = await FloodingServer.listen(path, bytes, meet);
    await guest.flooded;
    expect(guest.sentBytes, "bytes that were taken").toBeGreaterThan(0);
    await program.expectBounded(before);
  }

  it.each(TTRPC)("holds little and stays awake: by ttrpc, %s", { timeout: TIMEOUT_MS }, async (_, flood) => {
    await expectBounded(16 * MIB, flood);
  });

  it.each(HTTP2)("holds little and stays awake: by gRPC, %s", { timeout: TIMEOUT_MS }, async (_, frame) => {
    function* answer(): Generator<Buffer> {
      yield Buffer.concat([http2Beginning(), http2AnswerBegins()]);
      yield* forever(frame);
    }
    await expectBounded(8 * MIB, (head) => (isHttp2(head) ? answer() : "refused"));
  });

  it("holds little and stays awake: by gRPC, an answer byte by byte", { timeout: TIMEOUT_MS }, async () => {
    const message = grpcMessage(2 * MIB);
    const answered = Promise.withResolvers<number>();
    await using program = new WatchedProgram(CALLER, [`unix://${path}`]);
    const before = await program.before();
    using _guest = await FloodingServer.listen(path, Number.POSITIVE_INFINITY, (head, socket) => {
      if (isHttp2(head)) void answerByteByByte(socket, head, message.subarray(0, -1)).then(answered.resolve);
      return isHttp2(head) ? "served" : "refused";
    });
    expect(await answered.promise).toBe(message.length - 1);
    await program.expectBounded(before);
  });
});
