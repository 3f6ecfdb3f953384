import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { disposedWhenLate, endedByLimit, Limit, withinLimit } from "./limit.ts";

describe("a limit", () => {
  const reached: string[] = [];

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    reached.length = 0;
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const limit = (options: ConstructorParameters<typeof Limit>[0]): Limit =>
    new Limit(options, (reason) => reached.push(reason));

  it("is reached once, by what comes first", () => {
    const caller = new AbortController();
    limit({ signal: caller.signal, timeoutMs: 100 });
    vi.advanceTimersByTime(100);
    caller.abort();
    expect(reached).toEqual(["timedOut"]);
    limit({ signal: new AbortController().signal, timeoutMs: 100 });
    limit({ signal: caller.signal, timeoutMs: 1 });
    vi.advanceTimersByTime(99);
    expect(reached).toEqual(["timedOut", "aborted"]);
  });

  it("that is lifted is never reached, and leaves nothing behind", () => {
    const caller = new AbortController();
    limit({ signal: caller.signal, timeoutMs: 100 })[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
    caller.abort();
    expect(reached).toEqual([]);
  });

  it("ends a wait with a code, or with the caller's reason, and the work with it", async () => {
    const ended: unknown[] = [];
    const endless = (signal: AbortSignal): Promise<never> =>
      new Promise(() => {
        signal.addEventListener("abort", () => ended.push(signal.reason));
      });
    const late = withinLimit("the work", { timeoutMs: 5 }, endless);
    vi.advanceTimersByTime(5);
    await expect(late).rejects.toMatchObject({ code: "KATA_TIMEOUT", message: "the work took longer than 5 ms" });
    const caller = new AbortController();
    const given = withinLimit("the work", { signal: caller.signal }, endless);
    caller.abort("enough");
    await expect(given).rejects.toBe("enough");
    await setImmediate();
    expect(ended).toHaveLength(2);
    const never = vi.fn();
    await expect(withinLimit("the work", { signal: caller.signal }, never)).rejects.toBe("enough");
    expect(never).not.toHaveBeenCalled();
    expect(await withinLimit("the work", { timeoutMs: 5 }, async () => 7)).toBe(7);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends work that takes back what it has done, and waits for that", async () => {
    const steps: string[] = [];
    const careful = async (signal: AbortSignal): Promise<never> => {
      await new Promise((resolve) => {
        signal.addEventListener("abort", resolve);
      });
      await setImmediate();
      steps.push("taken back");
      throw new Error("given up");
    };
    const late = endedByLimit("the work", { timeoutMs: 5 }, careful).finally(() => steps.push("answered"));
    vi.advanceTimersByTime(5);
    await expect(late).rejects.toMatchObject({ code: "KATA_TIMEOUT" });
    expect(steps).toEqual(["taken back", "answered"]);
    const caller = new AbortController();
    const given = endedByLimit("the work", { signal: caller.signal }, careful);
    caller.abort("enough");
    await expect(given).rejects.toBe("enough");
    const failing = endedByLimit("the work", { timeoutMs: 5 }, () => Promise.reject(new Error("its own reason")));
    await expect(failing).rejects.toThrow("its own reason");
    expect(await endedByLimit("the work", {}, async () => 7)).toBe(7);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("has what comes too late disposed of, once, and nothing else", async () => {
    const disposed: string[] = [];
    const made = (name: string): AsyncDisposable => ({
      [Symbol.asyncDispose]: async () => {
        disposed.push(name);
      },
    });
    const work = Promise.withResolvers<AsyncDisposable>();
    const late = disposedWhenLate("the work", { timeoutMs: 5 }, () => work.promise);
    vi.advanceTimersByTime(5);
    await expect(late).rejects.toMatchObject({ code: "KATA_TIMEOUT", message: "the work took longer than 5 ms" });
    work.resolve(made("late"));
    await setImmediate();
    expect(disposed).toEqual(["late"]);
    const caller = new AbortController();
    const inTime = await disposedWhenLate("the work", { signal: caller.signal }, async () => made("in time"));
    caller.abort();
    await setImmediate();
    expect(inTime).toBeDefined();
    expect(disposed).toEqual(["late"]);
    await expect(disposedWhenLate("the work", {}, () => Promise.reject(new Error("why")))).rejects.toThrow("why");
    const never = vi.fn();
    await expect(disposedWhenLate("the work", { signal: caller.signal }, never)).rejects.toThrow("aborted");
    expect(never).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
