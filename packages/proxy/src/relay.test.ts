import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { YamuxSession } from "@kata-ts/agent-protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Relay } from "./relay.ts";

/** yamux's frame type. */
const GO_AWAY = 3;

/** Connects until a connection is ended without an answer: the relay has to have read what the guest said. */
async function refused(path: string): Promise<[Socket, boolean]> {
  for (;;) {
    const socket = connect(path);
    socket.write("late");
    const answer = await Promise.race([
      once(socket, "data").then(() => false),
      once(socket, "close").then(() => true),
    ]).catch(() => true);
    if (answer) return [socket, true];
    socket.destroy();
  }
}

describe("Relay", () => {
  let directory = "";
  let guest: Server;
  let session: YamuxSession | undefined;
  let paths = { listenSocket: "", muxSocket: "" };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "relay-"));
    paths = { listenSocket: join(directory, "proxy.sock"), muxSocket: join(directory, "agent.sock") };
    guest = createServer((socket) => {
      session = new YamuxSession(socket, {
        role: "server",
        onStream: (stream) => stream.on("error", () => undefined).pipe(stream),
      });
    });
  });

  afterEach(() => {
    guest.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it("leaves the channel alone until a client comes, where it is to wait for one", async () => {
    await new Promise<void>((resolve) => guest.listen(paths.muxSocket, resolve));
    session = undefined;
    const relay = await Relay.start({ ...paths, waitsForClient: true });
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    expect(session, "a session with the guest").toBeUndefined();
    const client = connect(paths.listenSocket);
    client.end("first");
    expect((await buffer(client)).toString()).toBe("first");
    relay.close();
    await relay.ended;
  });

  it("carries many connections over the one channel, also those made before it is there", async () => {
    const relay = await Relay.start(paths);
    const early = connect(paths.listenSocket);
    early.end("early");
    await new Promise<void>((resolve) => guest.listen(paths.muxSocket, resolve));
    const later = Array.from({ length: 20 }, (_, index) => {
      const socket = connect(paths.listenSocket);
      socket.end(Buffer.alloc(100_000, index));
      return buffer(socket);
    });
    expect((await buffer(early)).toString()).toBe("early");
    for (const [index, echoed] of (await Promise.all(later)).entries())
      expect(echoed.equals(Buffer.alloc(100_000, index))).toBe(true);
    relay.close();
    await relay.ended;
  });

  it("ends every connection when the channel ends", async () => {
    await new Promise<void>((resolve) => guest.listen(paths.muxSocket, resolve));
    const relay = await Relay.start(paths);
    const socket = connect(paths.listenSocket);
    socket.write("hello");
    await once(socket, "data");
    session?.close();
    await Promise.all([relay.ended, once(socket, "close")]);
  });

  it("refuses what a guest has no stream for, and goes on", async () => {
    await new Promise<void>((resolve) => guest.listen(paths.muxSocket, resolve));
    const relay = await Relay.start(paths);
    const socket = connect(paths.listenSocket);
    socket.write("hello");
    await once(socket, "data");
    session?.send(GO_AWAY, 0, 0, 0);
    session?.heartbeat();
    const [other, ended] = await refused(paths.listenSocket);
    expect(ended).toBe(true);
    expect(relay.openStream()).toBeUndefined();
    other.destroy();
    socket.write("again");
    expect(String((await once(socket, "data"))[0])).toBe("again");
    relay.close();
    await relay.ended;
  });

  it("gives up when the channel never comes", async () => {
    const relay = await Relay.start({ ...paths, connectDeadlineMs: 50 });
    await relay.ended;
  });
});
