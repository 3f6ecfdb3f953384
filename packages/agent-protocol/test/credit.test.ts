// A sender never waits for more credit than its peer gives: what is left of it is used up to the last byte. So it does not matter how late
// a peer gives credit back, as long as it does so at the latest when all of its window was read: the original's does at half of it.
import { pipeline } from "node:stream/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeHeader as encodeProcessHeader, Kind, StreamFrameReader } from "../src/process-stream/frame.ts";
import { HostProcessStream, newToken, PREFACE_BYTES } from "../src/process-stream/index.ts";
import { encodePreface } from "../src/process-stream/preface.ts";
import { encodeHeader, Flag, FrameType, INITIAL_WINDOW } from "../src/yamux/frame.ts";
import { YamuxFrameReader } from "../src/yamux/frame-reader.ts";
import { YamuxSession } from "../src/yamux/session.ts";
import { CreditReceiver, type CreditRules, numbered } from "./credit-peer.ts";
import { FakeProcess, serve } from "./process-stream-pair.ts";
import { wirePair } from "./wire-pair.ts";

const KIB = 1024;
const TOTAL = 1300 * KIB;
const RUNS = { numRuns: 12 };
const sizes = fc.array(fc.integer({ min: 5 * KIB, max: 700 * KIB }), { minLength: 1, maxLength: 5 });
const reads = fc.array(fc.integer({ min: 4 * KIB, max: 400 * KIB }), { minLength: 1, maxLength: 5 });
/** The latest is the hardest. */
const fraction = fc.constantFrom(1 / 4, 1 / 2, 1);

function rulesFor(window: number): fc.Arbitrary<CreditRules> {
  return fc.record({ reads, fraction }).map((given) => ({ window, step: window * given.fraction, reads: given.reads }));
}

function creditBody(bytes: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(bytes);
  return body;
}

/** Frames for a process's stream, as an older peer would send them. */
function creditFrame(descriptor: number, bytes: number): Buffer {
  return Buffer.concat([encodeProcessHeader(Kind.credit + descriptor, 4), creditBody(bytes)]);
}

async function turnsUntil(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise(setImmediate);
}

describe("credit that is given late", () => {
  it("stops no yamux stream of ours", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, rulesFor(INITIAL_WINDOW), async (writes, cuts, rules) => {
        const [here, there] = wirePair(cuts);
        const session = new YamuxSession(here, { role: "client" });
        const receiver = new CreditReceiver(rules, (bytes) => {
          there.write(encodeHeader({ type: FrameType.WindowUpdate, flags: 0, streamId: 1, length: bytes }));
        });
        const reader = new YamuxFrameReader({
          header: () => undefined,
          body: (_id, piece) => {
            receiver.arrive(piece);
          },
        });
        there.on("data", (chunk: Buffer) => reader.push(chunk));
        const stream = session.open();
        stream.on("error", () => undefined);
        const given = numbered(TOTAL, writes);
        await pipeline(given, stream, { end: false });
        await turnsUntil(() => receiver.length === TOTAL);
        expect(receiver.received.equals(Buffer.concat(given))).toBe(true);
        session.close();
      }),
      RUNS,
    );
  });

  it("of ours stops no yamux peer, which waits until there is some", async () => {
    await fc.assert(
      fc.asyncProperty(
        sizes,
        sizes,
        fc.constantFrom(INITIAL_WINDOW, 3 * INITIAL_WINDOW),
        async (frames, cuts, window) => {
          const [here, there] = wirePair(cuts);
          const arrived: Buffer[] = [];
          const session = new YamuxSession(here, {
            role: "server",
            window,
            onStream: (stream) =>
              stream.on("data", (chunk: Buffer) => arrived.push(chunk)).on("error", () => undefined),
          });
          let credit = INITIAL_WINDOW;
          const reader = new YamuxFrameReader({
            header: ({ length }) => {
              credit += length;
            },
            body: () => undefined,
          });
          there.on("data", (chunk: Buffer) => reader.push(chunk));
          there.write(encodeHeader({ type: FrameType.WindowUpdate, flags: Flag.SYN, streamId: 1, length: 0 }));
          const given = numbered(TOTAL, frames);
          for (const piece of given) {
            for (let at = 0; at < piece.length; ) {
              await turnsUntil(() => credit > 0);
              const part = piece.subarray(at, at + credit);
              credit -= part.length;
              at += part.length;
              there.write(encodeHeader({ type: FrameType.Data, flags: 0, streamId: 1, length: part.length }));
              there.write(part);
            }
          }
          await turnsUntil(() => arrived.reduce((sum, { length }) => sum + length, 0) === TOTAL);
          expect(Buffer.concat(arrived).equals(Buffer.concat(given))).toBe(true);
          session.close();
        },
      ),
      RUNS,
    );
  });

  it("stops no input of a process, nor an output", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, rulesFor(1024 * KIB), rulesFor(300 * KIB), async (writes, cuts, guest, host) => {
        const given = numbered(TOTAL, writes);
        await input(given, cuts, guest);
        await output(Buffer.concat(given), cuts, host);
      }),
      RUNS,
    );
  });
});

async function input(given: readonly Buffer[], cuts: readonly number[], rules: CreditRules): Promise<void> {
  const [here, there] = wirePair(cuts);
  const receiver = new CreditReceiver(rules, (bytes) => there.write(creditFrame(0, bytes)));
  const reader = new StreamFrameReader({
    data: (_descriptor, piece) => {
      receiver.arrive(piece);
    },
    end: () => undefined,
    control: () => undefined,
  });
  there.write(Buffer.concat([encodeProcessHeader(Kind.attached, 0), creditFrame(0, rules.window)]));
  const host = await HostProcessStream.open(here, newToken());
  there.once("data", (chunk: Buffer) => {
    reader.push(chunk.subarray(PREFACE_BYTES));
    there.on("data", (next: Buffer) => {
      reader.push(next);
    });
  });
  await pipeline(given, host.stdin);
  await turnsUntil(() => receiver.length === TOTAL);
  expect(receiver.received.equals(Buffer.concat(given))).toBe(true);
  host.close();
}

async function output(given: Buffer, cuts: readonly number[], rules: CreditRules): Promise<void> {
  const [here, there] = wirePair(cuts);
  const process = new FakeProcess(given);
  process.status.resolve(0);
  const served = serve(there, process);
  const receiver = new CreditReceiver(rules, (bytes) => here.write(creditFrame(1, bytes)));
  let status: number | undefined;
  const reader = new StreamFrameReader({
    data: (_descriptor, piece) => {
      receiver.arrive(piece);
    },
    end: () => undefined,
    control: (kind, body) => {
      if (kind === Kind.exit) status = body.readUInt32BE();
    },
  });
  here.on("data", (chunk: Buffer) => {
    reader.push(chunk);
  });
  here.write(Buffer.concat([encodePreface(newToken()), creditFrame(1, rules.window), creditFrame(2, 1)]));
  await served;
  await turnsUntil(() => receiver.length === TOTAL && status !== undefined);
  expect([receiver.received.equals(given), status]).toEqual([true, 0]);
}
