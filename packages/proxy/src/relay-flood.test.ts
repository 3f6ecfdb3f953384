import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { DnsTransport } from "@kata-ts/agent-protocol/network-streams";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const MIB = 1024 * 1024;
/** The budget, Node's own growth, and what its sockets hold. */
const GROWTH_LIMIT = 160 * MIB;
const TURN_LIMIT_MS = 150;
/** Far more than any bound: what is held in proportion to it shows. */
const FLOOD_BYTES = 48 * MIB;
/** A peer whose bytes are not taken for so long is not read any more. */
const STALLED_MS = 2_000;

const [DATA, WINDOW_UPDATE, PING] = [0, 1, 2];
const [SYN, FIN, RST] = [1, 4, 8];

function frame(type: number, flags: number, streamId: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(type, 1);
  header.writeUInt16BE(flags, 2);
  header.writeUInt32BE(streamId, 4);
  header.writeUInt32BE(body.length, 8);
  return Buffer.concat([header, body]);
}

/** The guest's streams have even numbers. */
function* guestStreams(): Generator<number> {
  for (let id = 2; ; id += 2) yield id;
}

type Flood = () => Generator<Buffer>;

const opened: Flood = function* () {
  for (const id of guestStreams()) yield frame(WINDOW_UPDATE, SYN, id);
};
const openedAndReset: Flood = function* () {
  for (const id of guestStreams()) yield Buffer.concat([frame(WINDOW_UPDATE, SYN, id), frame(WINDOW_UPDATE, RST, id)]);
};
const halfClosed: Flood = function* () {
  for (const id of guestStreams()) yield Buffer.concat([frame(WINDOW_UPDATE, SYN, id), frame(WINDOW_UPDATE, FIN, id)]);
};
const pings: Flood = function* () {
  for (;;) yield frame(PING, SYN, 0);
};
/** Each with a question that is as long as one may be, byte by byte, and never whole. */
const questions: Flood = function* () {
  const ids = Array.from({ length: 160 }, (_, index) => 2 * (index + 1));
  for (const id of ids) {
    yield frame(WINDOW_UPDATE, SYN, id);
    yield frame(DATA, 0, id, Buffer.of(DnsTransport.udp, 0xff, 0xff));
  }
  for (let n = 0; n < 0xfff0; n++) for (const id of ids) yield frame(DATA, 0, id, Buffer.of(n));
};
/** What a program on the host has connected for and does not read: as much as the window has, byte by byte. */
const singleBytes: Flood = function* () {
  for (let n = 0; n < 4 * MIB - 1; n++) yield frame(DATA, 0, 1, Buffer.of(n));
};

interface Told {
  readonly residentBytes: number;
  readonly longestTurnMs: number;
}

describe("a relay whose guest floods it", () => {
  let directory = "";
  let guest: Server;
  let relay: ChildProcess;
  let channel: Socket;
  const told: Told[] = [];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "relay-flood-"));
    const [listenSocket, muxSocket] = [join(directory, "proxy.sock"), join(directory, "agent.sock")];
    guest = createServer({ pauseOnConnect: true });
    guest.listen(muxSocket);
    told.length = 0;
    relay = spawn(process.execPath, [join(import.meta.dirname, "flooded-relay.ts"), listenSocket, muxSocket], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (relay.stdout !== null) {
      createInterface(relay.stdout).on("line", (line) => told.push(JSON.parse(line) as Told));
    }
    [channel] = (await once(guest, "connection")) as [Socket];
    channel.on("error", () => undefined);
    await newTold();
  });

  afterEach(async () => {
    channel.destroy();
    await once(relay, "exit");
    guest.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function newTold(): Promise<Told> {
    const count = told.length;
    let last = told.at(-1);
    for (; last === undefined || told.length < count + 2; last = told.at(-1)) await delay(10);
    return last;
  }

  /** Until all of it is taken, or none has been for a while. */
  async function flood(frames: Flood): Promise<void> {
    let chunk: Buffer[] = [];
    let size = 0;
    let sent = 0;
    for (const piece of frames()) {
      chunk.push(piece);
      size += piece.length;
      if (size < 64 * 1024) continue;
      if (!(await taken(Buffer.concat(chunk)))) return;
      sent += size;
      if (sent > FLOOD_BYTES && frames !== singleBytes) return;
      chunk = [];
      size = 0;
    }
    await taken(Buffer.concat(chunk));
  }

  function taken(bytes: Buffer): Promise<boolean> {
    const written: Promise<boolean> = new Promise((resolve) => {
      channel.write(bytes, (error) => {
        resolve(error === undefined || error === null);
      });
    });
    return Promise.race([written, delay(STALLED_MS, false)]);
  }

  async function expectBounded(frames: Flood, before: Told): Promise<void> {
    await flood(frames);
    await newTold();
    const peak = Math.max(...told.map(({ residentBytes }) => residentBytes));
    expect(peak - before.residentBytes, "bytes of growth").toBeLessThan(GROWTH_LIMIT);
    expect(Math.max(...told.map(({ longestTurnMs }) => longestTurnMs)), "longest turn").toBeLessThan(TURN_LIMIT_MS);
  }

  it.for([
    ["opens streams", opened],
    ["opens and resets them", openedAndReset],
    ["opens and half-closes them", halfClosed],
    ["pings", pings],
    ["asks for names byte by byte", questions],
  ] as const)("holds little and stays awake when it %s and never reads", { timeout: 60_000 }, async ([, frames]) => {
    await expectBounded(frames, await newTold());
  });

  it("holds little of what a program on the host does not read", { timeout: 120_000 }, async () => {
    const program = connect({ path: join(directory, "proxy.sock") });
    program.pause();
    program.on("error", () => undefined);
    program.write("hello");
    channel.resume();
    await once(channel, "data");
    await expectBounded(singleBytes, await newTold());
    program.destroy();
  });
});
