import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Flood, FloodingServer, WatchedProgram } from "@kata-ts/fuzzing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Flag, FrameType } from "../../src/http2/protocol.ts";
import { grpcMessage } from "../../src/rpc/grpc/message.ts";
import { BEGINNING, data, frame, headers, number } from "../http2/raw-peer.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 60_000;
const FLOOD_BYTES = 8 * MIB;
/** Of calls without a message: their answers, if all were kept, were far above the bound. */
const MANY_BYTES = 64 * MIB;
const SERVED = join(import.meta.dirname, "served.ts");
const { EndHeaders, EndStream } = Flag;

function request(streamId: number, flags?: number): Buffer {
  const fields = [
    [":method", "POST"],
    [":path", "/a/b"],
    ["content-type", "application/grpc"],
  ] as const;
  return headers(streamId, fields, flags);
}

/** The same for each stream, and for one after the other without end. */
function* forEachStream(...frames: readonly ((streamId: number) => Buffer)[]): Flood {
  yield BEGINNING;
  for (let id = 1; ; id += 2) for (const frameOf of frames) yield frameOf(id);
}

function* again(begin: readonly Buffer[], ...frames: readonly Buffer[]): Flood {
  yield Buffer.concat([BEGINNING, ...begin]);
  for (;;) yield* frames;
}

/** A large message on each stream that there may be, a byte of each by turns. */
function* allByteByByte(): Flood {
  const ids = Array.from({ length: 1024 }, (_, index) => 2 * index + 1);
  yield Buffer.concat([BEGINNING, ...ids.map((id) => request(id))]);
  const message = grpcMessage(Buffer.alloc(4 * MIB));
  for (let at = 0; ; at++) for (const id of ids) yield data(id, message.subarray(at, at + 1));
}

const FLOODS: readonly [string, () => Flood][] = [
  ["pings", () => again([], frame(FrameType.Ping, 0, 0, Buffer.alloc(8)))],
  ["settings", () => again([], frame(FrameType.Settings, 0, 0))],
  ["credit", () => again([], frame(FrameType.WindowUpdate, 0, 0, number(1)))],
  ["empty data", () => again([request(1)], data(1, Buffer.alloc(0)))],
  ["headers that go on", () => again([request(1, 0)], frame(FrameType.Continuation, 0, 1, Buffer.alloc(64)))],
  [
    "calls whose answers it never reads",
    () => forEachStream(request, (id) => data(id, grpcMessage(Buffer.alloc(1000)), EndStream)),
  ],
  ["calls that it takes back", () => forEachStream(request, (id) => frame(FrameType.RstStream, 0, id, number(8)))],
  [
    "calls that are never whole",
    () => forEachStream(request, (id) => data(id, grpcMessage(Buffer.alloc(16_000)).subarray(0, -1))),
  ],
  ["all its calls, byte by byte", allByteByByte],
];

describe("a program that serves gRPC to a client which floods it", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "serve-flood-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  async function expectBounded(flood: () => Flood, bytes: number): Promise<void> {
    const path = join(directory, "host.sock");
    await using program = new WatchedProgram(SERVED, [path]);
    const before = await program.before();
    using client = await FloodingServer.listen(path, bytes, flood);
    await client.flooded;
    expect(client.sentBytes, "bytes that were taken").toBeGreaterThan(0);
    await program.expectBounded(before);
  }

  it.each(FLOODS)("holds little and stays awake: %s", { timeout: TIMEOUT_MS }, async (_, flood) => {
    await expectBounded(flood, FLOOD_BYTES);
  });

  it("holds little and stays awake: calls without a message, whose answers it never reads", {
    timeout: TIMEOUT_MS,
  }, async () => {
    await expectBounded(() => forEachStream((id) => request(id, EndHeaders | EndStream)), MANY_BYTES);
  });
});
