import { once } from "node:events";
import { closeSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { createPipe } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { Output } from "./output.ts";

/** So many reads without a turn of anything else: by then the other has been kept from it. */
const MANY = 10_000;

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
});
