import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IdleMemory } from "./idle.ts";

describe("memory that is given back", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("goes once nothing has begun for a second, and at most every ten", () => {
    let times = 0;
    const memory = new IdleMemory(() => {
      times += 1;
    });
    vi.advanceTimersByTime(60_000);
    expect(times).toBe(0);
    memory.used();
    vi.advanceTimersByTime(900);
    memory.used();
    vi.advanceTimersByTime(900);
    expect(times).toBe(0);
    vi.advanceTimersByTime(200);
    expect(times).toBe(1);
    memory.used();
    vi.advanceTimersByTime(5_000);
    expect(times).toBe(1);
    vi.advanceTimersByTime(6_000);
    expect(times).toBe(2);
    vi.advanceTimersByTime(60_000);
    expect(times).toBe(2);
  });
});
