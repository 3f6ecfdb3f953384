import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLOCK, DnsTransport } from "@kata-ts/agent-protocol/network-streams";
import { type Flood, yamuxFrame as frame, sendFlood, WatchedProgram } from "@kata-ts/fuzzing";
import { afterEach, beforeEach, describe, it } from "vitest";

const MIB = 1024 * 1024;
const [DATA, WINDOW_UPDATE, PING] = [0, 1, 2];
const [SYN, FIN, RST] = [1, 4, 8];

/** The guest's streams have even numbers. */
function* guestStreams(): Generator<number> {
  for (let id = 2; ; id += 2) yield id;
}

const opened = function* (): Flood {
  for (const id of guestStreams()) yield frame(WINDOW_UPDATE, SYN, id);
};
const openedAndReset = function* (): Flood {
  for (const id of guestStreams()) yield Buffer.concat([frame(WINDOW_UPDATE, SYN, id), frame(WINDOW_UPDATE, RST, id)]);
};
const halfClosed = function* (): Flood {
  for (const id of guestStreams()) yield Buffer.concat([frame(WINDOW_UPDATE, SYN, id), frame(WINDOW_UPDATE, FIN, id)]);
};
const alternating = function* (): Flood {
  for (const id of guestStreams()) {
    yield frame(WINDOW_UPDATE, SYN, id);
    yield frame(DATA, 0, id, Buffer.of(DnsTransport.udp));
    yield frame(DATA, FIN, id, Buffer.of(1));
    yield frame(WINDOW_UPDATE, RST, id);
  }
};
const pings = function* (): Flood {
  for (;;) yield frame(PING, SYN, 0);
};
/** Each with a question that is as long as one may be, byte by byte, and never whole. */
const questions = function* (): Flood {
  const ids = Array.from({ length: 160 }, (_, index) => 2 * (index + 1));
  for (const id of ids) {
    yield frame(WINDOW_UPDATE, SYN, id);
    yield frame(DATA, 0, id, Buffer.of(DnsTransport.udp, 0xff, 0xff));
  }
  for (let n = 0; n < 0xfff0; n++) for (const id of ids) yield frame(DATA, 0, id, Buffer.of(n));
};
/** On as many streams as may be open, without end. */
const times = function* (): Flood {
  const ids = Array.from({ length: 200 }, (_, index) => 2 * (index + 1));
  for (const id of ids) yield frame(WINDOW_UPDATE, SYN, id);
  for (;;) for (const id of ids) yield frame(DATA, 0, id, Buffer.of(CLOCK));
};
/** What a program on the host has connected for and does not read: as much as the window has, byte by byte. */
const singleBytes = function* (): Flood {
  for (let n = 0; n < 4 * MIB - 1; n++) yield frame(DATA, 0, 1, Buffer.of(n));
};

describe("a relay whose guest floods it", () => {
  let directory = "";
  let guest: Server;
  let relay: WatchedProgram;
  let channel: Socket;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "relay-flood-"));
    const [listenSocket, muxSocket] = [join(directory, "proxy.sock"), join(directory, "agent.sock")];
    guest = createServer({ pauseOnConnect: true });
    guest.listen(muxSocket);
    relay = new WatchedProgram(join(import.meta.dirname, "flooded-relay.ts"), [listenSocket, muxSocket]);
    [channel] = (await once(guest, "connection")) as [Socket];
    channel.on("error", () => undefined);
  });

  afterEach(async () => {
    channel.destroy();
    await relay.exited();
    guest.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it.for([
    ["opens streams", opened],
    ["opens and resets them", openedAndReset],
    ["opens and half-closes them", halfClosed],
    ["opens, fills and closes them by turns", alternating],
    ["pings", pings],
    ["asks for names byte by byte", questions],
    ["asks for the time", times],
  ] as const)("holds little and stays awake when it %s and never reads", { timeout: 60_000 }, async ([, flood]) => {
    const before = await relay.before();
    await sendFlood(channel, flood());
    await relay.expectBounded(before);
  });

  it("holds little of what a program on the host does not read", { timeout: 120_000 }, async () => {
    const program = connect({ path: join(directory, "proxy.sock") });
    program.pause();
    program.on("error", () => undefined);
    program.write("hello");
    channel.resume();
    await once(channel, "data");
    const before = await relay.before();
    await sendFlood(channel, singleBytes(), Number.POSITIVE_INFINITY);
    await relay.expectBounded(before);
    program.destroy();
  });
});
