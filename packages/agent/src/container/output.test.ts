import { once } from "node:events";
import { closeSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { createPipe } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { Output } from "./output.ts";

/** So many reads without a turn of anything else: by then the other has been kept from it. */
const MANY = 10_000;

/** How long an output whose process has ended may be silent, and how long it is followed at most. */
const SILENCE_MS = 250;
const TIME_OF_OTHERS_MS = 1_000;

/** As a program that has too much else to do. */
function standStill(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

describe("an output", () => {
  it("without a reader never keeps its process waiting, and has the last of it for the next", async () => {
    const { read, write } = createPipe();
    const output = new Output(read);
    output.keepLast(10);
    const writer = new Socket({ fd: write, readable: false, writable: true });
    const lines = Array.from({ length: 100_000 }, (_, index) => `${String(index)}\n`).join("");
    await new Promise((resolve) => writer.write(lines, resolve)); // Much more than a pipe holds.
    const ended = once(output.socket, "end"); // What a pipe holds is read, too.
    writer.end("the end");
    await ended;
    const kept: Buffer[] = [];
    for (let data = await output.read(4); data !== undefined; data = await output.read(4)) kept.push(data);
    expect(Buffer.concat(kept).toString()).toBe("99\nthe end");
    output.destroy();
  });

  it("leaves others their turn while there is always more of it, and its reader keeps up", async () => {
    const { read, write } = createPipe();
    const output = new Output(read);
    const other = { hadTurn: false };
    setTimeout(() => {
      other.hadTurn = true;
    }, 1);
    for (let reads = 0; !other.hadTurn && reads < MANY; reads++) {
      writeSync(write, "more");
      expect(String(await output.read(4))).toBe("more");
    }
    expect(other.hadTurn).toBe(true);
    closeSync(write);
    expect(await output.read(4)).toBeUndefined();
    output.destroy();
  });

  it("of a process that has ended has what others wrote, also where the time for that is up before it is looked at", async () => {
    const { read, write } = createPipe();
    const output = new Output(read);
    output.processEnded();
    for (const [said, late] of [
      ["one", SILENCE_MS],
      ["two", TIME_OF_OTHERS_MS],
    ] as const) {
      const next = output.read(100);
      await new Promise(setImmediate); // It waits.
      writeSync(write, said);
      standStill(late);
      expect(String(await next)).toBe(said);
    }
    writeSync(write, "more than what there is time for");
    expect([await output.read(100), output.socket.destroyed]).toEqual([undefined, true]);
    closeSync(write);
  });

  it("of a process that has ended comes to its end, however much others write", async () => {
    const { read, write } = createPipe();
    const output = new Output(read);
    output.processEnded();
    let data: Buffer | undefined;
    do {
      writeSync(write, "more");
      data = await output.read(100);
    } while (data !== undefined);
    expect(output.socket.destroyed).toBe(true);
    closeSync(write);
  });

  it("of a process that has ended is delivered whole to a reader that is slower than the time for others", async () => {
    const { read, write } = createPipe();
    const output = new Output(read);
    writeSync(write, "one two");
    closeSync(write);
    expect(String(await output.read(4))).toBe("one ");
    output.socket.resume();
    await once(output.socket, "close");
    output.processEnded();
    expect(String(await output.read(2))).toBe("tw");
    standStill(TIME_OF_OTHERS_MS);
    expect(String(await output.read(2))).toBe("o");
    expect(await output.read(4)).toBeUndefined();
  });
});
