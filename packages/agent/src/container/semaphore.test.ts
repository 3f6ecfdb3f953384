import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Semaphore } from "./semaphore.ts";

describe("a semaphore", () => {
  let begun: string[];
  const ends: Map<string, () => void> = new Map();

  beforeEach(() => {
    vi.useFakeTimers();
    begun = [];
    ends.clear();
  });

  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<string>((resolve) => {
      ends.set(name, () => {
        resolve(name);
      });
    });
  };

  it("runs a limited number at once, in order, and the next when one has ended", async () => {
    let places = 2;
    const semaphore = new Semaphore(() => places, 1_000);
    const all = ["a", "b", "c", "d", "e"].map((name) => semaphore.run(work(name)));
    await Promise.resolve();
    expect(begun).toEqual(["a", "b"]);
    ends.get("b")?.();
    expect(await all[1]).toBe("b");
    expect(begun).toEqual(["a", "b", "c"]);
    places = 3;
    ends.get("c")?.();
    expect(await all[2]).toBe("c");
    expect(begun).toEqual(["a", "b", "c", "d", "e"]);
    for (const name of ["a", "d", "e"]) ends.get(name)?.();
    await Promise.all(all);
  });

  it("stops counting slow work after its patience, and releases a place only once", async () => {
    const semaphore = new Semaphore(() => 1, 1_000);
    const all = ["a", "b", "c"].map((name) => semaphore.run(work(name)));
    await vi.advanceTimersByTimeAsync(999);
    expect(begun).toEqual(["a"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(begun).toEqual(["a", "b"]);
    ends.get("a")?.(); // its place is taken already
    await all[0];
    expect(begun).toEqual(["a", "b"]);
    ends.get("b")?.();
    await all[1];
    expect(begun).toEqual(["a", "b", "c"]);
    ends.get("c")?.();
    await all[2];
  });

  it("releases the place of work that fails", async () => {
    const semaphore = new Semaphore(() => 1, 1_000);
    await expect(semaphore.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await semaphore.run(() => Promise.resolve("yes"))).toBe("yes");
  });
});
