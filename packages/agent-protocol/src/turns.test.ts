import { once } from "node:events";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readInTurns, type TurnOptions } from "./turns.ts";

/** A source, what was taken of it in each turn of the event loop, and how often it was stopped. */
class Taken {
  readonly source: Readable = new Readable({ read: () => undefined });
  readonly turns: string[][] = [[]];
  stops = 0;
  readonly readOn: () => void;
  #isOver = false;

  constructor(options?: TurnOptions) {
    this.source.on("pause", () => {
      this.stops += 1;
    });
    this.readOn = readInTurns(this.source, (chunk) => this.turns.at(-1)?.push(chunk.toString()), options);
    this.#count();
  }

  get all(): string {
    return this.turns.flat().join("");
  }

  push(...chunks: readonly string[]): void {
    for (const chunk of chunks) this.source.push(chunk);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.source.destroy();
  }

  #count(): void {
    setImmediate(() => {
      this.turns.push([]);
      if (!this.#isOver) this.#count();
    });
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a stream that is read in turns", () => {
  it("is not stopped while what comes in each turn is taken in it", async () => {
    using taken = new Taken();
    for (const chunk of ["a", "b", "c"]) {
      taken.push(chunk);
      for (let turns = 0; turns < 2; turns++) await turn(); // The next one comes in a later turn, as from a descriptor.
    }
    expect([taken.all, taken.stops]).toEqual(["abc", 0]);
  });

  it("gives one chunk a turn of a flood, in order, and then its end", async () => {
    using taken = new Taken();
    const ended = once(taken.source, "end").then(() => taken.all);
    taken.push("a", "b", "c", "d", "e");
    taken.source.push(null);
    taken.source.read(0); // As a socket does at its end.
    expect(await ended).toBe("abcde");
    expect(Math.max(...taken.turns.map(({ length }) => length))).toBe(1);
  });

  it("gives as many bytes a turn as it is asked for, by the chunk that reaches them", async () => {
    using taken = new Taken({ bytes: 6 });
    const ended = once(taken.source, "end");
    taken.push("four", "four", "four", "four", "four");
    taken.source.push(null);
    await ended;
    expect(taken.turns.filter(({ length }) => length > 0).map(({ length }) => length)).toEqual([2, 2, 1]);
  });

  it("gives nothing more while there is no room, and goes on when there is", async () => {
    let isFull = true;
    using taken = new Taken({ isFull: () => isFull });
    taken.push("a", "b");
    for (let turns = 0; turns < 5; turns++) await turn();
    taken.push("c");
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(taken.all).toBe("a");
    isFull = false;
    taken.readOn();
    while (taken.all.length < 3) await turn();
    expect(taken.all).toBe("abc");
  });
});
