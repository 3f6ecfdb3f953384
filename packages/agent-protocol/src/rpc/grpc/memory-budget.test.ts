import { describe, expect, it } from "vitest";
import { MemoryBudget } from "./memory-budget.ts";

function setUp(): { readonly granted: string[]; readonly reserve: (name: string, bytes: number) => () => void } {
  const budget = new MemoryBudget(100);
  const granted: string[] = [];
  return {
    granted,
    reserve: (name, bytes) => {
      const reservation = budget.reserve(bytes, () => granted.push(name));
      return () => {
        reservation.release();
      };
    },
  };
}

describe("a budget of memory", () => {
  it("lets messages in while there is room, and others in their order when one is done", () => {
    const { granted, reserve } = setUp();
    const done = reserve("first", 60);
    reserve("second", 60);
    reserve("small", 10);
    expect(granted).toEqual(["first"]);
    done();
    expect(granted).toEqual(["first", "second", "small"]);
  });

  it("is not held by what gave up waiting, nor freed twice", () => {
    const { granted, reserve } = setUp();
    const done = reserve("first", 100);
    reserve("given up", 100)();
    reserve("second", 100);
    reserve("third", 100);
    done();
    done();
    expect(granted).toEqual(["first", "second"]);
  });
});
