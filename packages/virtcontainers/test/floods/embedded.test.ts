import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  answerTtrpc,
  attachedForever,
  type Flood,
  FloodingServer,
  forever,
  outputsByteByByte,
  ProcessFrame,
  processFrame,
  protobufField,
  sendFlood,
  WatchedProgram,
  yamuxFrame,
} from "@kata-ts/fuzzing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 60_000;
const PROGRAM = join(import.meta.dirname, "embedding.ts");
const [DATA, WINDOW_UPDATE, PING] = [0, 1, 2];
const [SYN, FIN, RST] = [1, 4, 8];
const { stdout, stderr, stop } = ProcessFrame;
const WINDOW = 2 * MIB;
const NOTHING = Buffer.alloc(0);
const TICKET = protobufField(1, Buffer.alloc(16, 7));

function* onEachStream(...kinds: readonly (readonly [type: number, flags: number])[]): Flood {
  for (let id = 2; ; id += 2) for (const [type, flags] of kinds) yield yamuxFrame(type, flags, id);
}

describe("a program with a sandbox in it, whose guest floods it", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "embedded-flood-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it.each<[string, () => Flood]>([
    ["all streams opened", () => onEachStream([WINDOW_UPDATE, SYN])],
    ["all half-closed", () => onEachStream([WINDOW_UPDATE, SYN], [WINDOW_UPDATE, FIN])],
    ["opened and reset by turns", () => onEachStream([WINDOW_UPDATE, SYN], [DATA, 0], [WINDOW_UPDATE, RST])],
    ["pings", () => forever(yamuxFrame(PING, SYN, 0))],
  ])("holds little and stays awake: over the channel, %s", { timeout: TIMEOUT_MS }, async (_, flood) => {
    const [agentSocket, muxSocket] = [join(directory, "agent.sock"), join(directory, "mux.sock")];
    const guest = createServer({ pauseOnConnect: true }).listen(muxSocket);
    const connected = once(guest, "connection");
    await using program = new WatchedProgram(PROGRAM, [agentSocket, muxSocket]);
    const [channel] = (await connected) as [Socket];
    channel.on("error", () => undefined);
    const before = await program.before();
    expect(await sendFlood(channel, flood()), "bytes that were taken").toBeGreaterThan(0);
    await program.expectBounded(before);
    channel.destroy();
    guest.close();
  });

  it.each<[string, () => Flood]>([
    ["both outputs, byte by byte", () => outputsByteByByte(WINDOW)],
    ["that its input is not read", () => attachedForever(processFrame(stop))],
    ["ends of its outputs", () => attachedForever(processFrame(stdout), processFrame(stderr))],
    ["frames of no known kind", () => attachedForever(processFrame(0x7f, Buffer.alloc(64)))],
  ])("holds little and stays awake: from a process, %s", { timeout: TIMEOUT_MS }, async (_, flood) => {
    const path = join(directory, "agent.sock");
    const measured = Promise.withResolvers<undefined>();
    using guest = await FloodingServer.listen(path, 16 * MIB, async (head, socket) => {
      await measured.promise;
      if (head[0] !== 0) return flood();
      answerTtrpc(socket, head, { CreateFromConfig: TICKET, "": NOTHING });
      return "served";
    });
    await using program = new WatchedProgram(PROGRAM, [path]);
    const before = await program.before();
    measured.resolve(undefined);
    await Promise.race([guest.flooded, program.exited()]);
    expect(guest.sentBytes, "bytes that were taken").toBeGreaterThan(0);
    await program.expectBounded(before);
  });
});
