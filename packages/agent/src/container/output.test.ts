import { closeSync, writeSync } from "node:fs";
import { createPipe } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { Output } from "./output.ts";

/** So many reads without a turn of anything else: by then the other has been kept from it. */
const MANY = 10_000;

describe("an output", () => {
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
