import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IDLE_WARNING, IdleWatch } from "./idle-watch.ts";

describe("a sandbox that does nothing", () => {
  const warned: (string | undefined)[] = [];
  const emit = vi.spyOn(process, "emitWarning");

  beforeEach(() => {
    vi.useFakeTimers();
    warned.length = 0;
    emit.mockImplementation((_message, options) => {
      warned.push((options as { code?: string }).code);
    });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("is reported, once", () => {
    new IdleWatch("idle", 1000);
    vi.advanceTimersByTime(999);
    expect(warned).toEqual([]);
    vi.advanceTimersByTime(10_000);
    expect(warned).toEqual([IDLE_WARNING]);
  });

  it("is none while a call or a process is under way, and after its end", () => {
    const watch = new IdleWatch("busy", 1000);
    const [first, second] = [watch.begin(), watch.begin()];
    first();
    first();
    vi.advanceTimersByTime(5000);
    expect(warned).toEqual([]);
    second();
    vi.advanceTimersByTime(999);
    watch.stop();
    vi.advanceTimersByTime(5000);
    expect(warned).toEqual([]);
  });

  it("is none where that is wanted", () => {
    new IdleWatch("pooled", 0);
    vi.advanceTimersByTime(10_000_000);
    expect(warned).toEqual([]);
  });
});
