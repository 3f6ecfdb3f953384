import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  answerByteByByte,
  answerTtrpc,
  attachedForever,
  type Flood,
  FloodingServer,
  grpcMessage,
  isHttp2,
  type Meeting,
  outputsByteByByte,
  ProcessFrame,
  processFrame,
  protobufField,
  WatchedProgram,
} from "@kata-ts/fuzzing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 60_000;
/** Of what a program tells: some second. */
const LONG = 20;
const SHIM = join(import.meta.dirname, "../src/bin.ts");
/** What each output may send before it is read. */
const WINDOW = 2 * MIB;
const { stdout, stderr, credit, stop, attached, exit } = ProcessFrame;
const TICKET = protobufField(1, Buffer.alloc(16, 7));

const STREAMS: readonly [string, () => Flood][] = [
  ["both outputs, byte by byte", () => outputsByteByByte(WINDOW)],
  ["credit", () => attachedForever(processFrame(credit, Buffer.alloc(4, 0xff)))],
  [
    "that nothing is read any more",
    () => attachedForever(processFrame(stop), processFrame(stop + 1), processFrame(stop + 2)),
  ],
  ["the end of an output, again and again", () => attachedForever(processFrame(stdout), processFrame(stderr))],
  ["that it is attached", () => attachedForever(processFrame(attached))],
  ["exits, again and again", () => attachedForever(processFrame(exit, Buffer.alloc(4)))],
  ["exits that are none", () => attachedForever(processFrame(exit, Buffer.alloc(64)))],
  ["frames of no known kind", () => attachedForever(processFrame(0x7f, Buffer.alloc(64)))],
];

/** The reply to ReadStdout and ReadStderr. */
function output(bytes: number): Buffer {
  return protobufField(1, Buffer.alloc(bytes, "x"));
}

/** One whose outputs are pipes that nothing reads. */
function shimOf(path: string): WatchedProgram {
  return new WatchedProgram(SHIM, ["-agent", `unix://${path}`, "-container", "c"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

describe("a shim whose guest floods it, and whose outputs are not read", () => {
  let directory = "";
  let path = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "shim-flood-"));
    path = join(directory, "proxy.sock");
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  /** A shim that waits for the answer to its first call until it may be flooded. */
  async function expectBounded(flood: (head: Buffer, socket: Socket) => Meeting): Promise<void> {
    const measured = Promise.withResolvers<undefined>();
    using guest = await FloodingServer.listen(path, 16 * MIB, async (head, socket) => {
      await measured.promise;
      return flood(head, socket);
    });
    await using shim = shimOf(path);
    const before = await shim.before();
    measured.resolve(undefined);
    await Promise.race([guest.flooded, shim.exited()]);
    expect(guest.sentBytes, "bytes that were taken").toBeGreaterThan(0);
    await shim.expectBounded(before);
  }

  const polled: readonly [string, Record<string, Buffer>][] = [
    ["outputs larger than was asked for", { ReadStdout: output(4 * MIB - 64), ReadStderr: output(4 * MIB - 64) }],
    ["outputs byte by byte", { ReadStdout: output(1), ReadStderr: output(1) }],
    ["outputs of nothing", { ReadStdout: output(0), ReadStderr: output(0) }],
  ];
  it.each(polled)(
    "holds little and stays awake by the 1.x contract: %s",
    { timeout: TIMEOUT_MS },
    async (_, answers) => {
      using _guest = await FloodingServer.listen(path, 0, (head, socket) => {
        answerTtrpc(socket, head, { OpenStream: undefined, ...answers });
        return "served";
      });
      await using shim = shimOf(path);
      await shim.expectBounded(await shim.before(), LONG);
    },
  );

  it("holds little and stays awake by gRPC: an answer byte by byte", { timeout: TIMEOUT_MS }, async () => {
    const answered = Promise.withResolvers<number>();
    const measured = Promise.withResolvers<undefined>();
    using _guest = await FloodingServer.listen(path, 0, async (head, socket) => {
      if (!isHttp2(head)) return "refused";
      await measured.promise;
      void answerByteByByte(socket, head, grpcMessage(2 * MIB - 1)).then(answered.resolve);
      return "served";
    });
    await using shim = shimOf(path);
    const before = await shim.before();
    measured.resolve(undefined);
    expect(await answered.promise).toBeGreaterThan(2 * MIB);
    await shim.expectBounded(before);
  });

  it.each(STREAMS)("holds little and stays awake: %s", { timeout: TIMEOUT_MS }, async (_, flood) => {
    await expectBounded((head, socket) => {
      if (head[0] !== 0) return flood();
      answerTtrpc(socket, head, { OpenStream: TICKET });
      return "served";
    });
  });
});
