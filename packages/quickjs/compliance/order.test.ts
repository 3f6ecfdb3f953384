import { closeSync, createWriteStream, openSync, read } from "node:fs";
import { open, stat } from "node:fs/promises";
import { setTimeout as delay, setImmediate as immediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";

describe("what waits", () => {
  it("runs ticks before jobs, jobs before timers, and immediates after what was polled", async () => {
    const order: string[] = [];
    const done: Promise<void> = new Promise((resolve) => {
      setTimeout(() => {
        order.push("timer");
        setImmediate(() => {
          order.push("immediate");
          resolve();
        });
        process.nextTick(() => order.push("tick of timer"));
        void Promise.resolve().then(() => order.push("job of timer"));
      }, 1);
    });
    process.nextTick(() => {
      order.push("tick");
      process.nextTick(() => order.push("tick of tick"));
    });
    queueMicrotask(() => {
      order.push("job");
      process.nextTick(() => order.push("tick of job"));
      queueMicrotask(() => order.push("job of job"));
    });
    order.push("now");
    await done;
    // An async test is a job itself: what it queues then goes before the next ticks.
    expect(order.slice(1).toSorted()).toEqual(
      [
        "job",
        "job of job",
        "tick",
        "tick of tick",
        "tick of job",
        "timer",
        "tick of timer",
        "job of timer",
        "immediate",
      ].toSorted(),
    );
    const before = (a: string, b: string): boolean => order.indexOf(a) < order.indexOf(b);
    expect(order[0]).toBe("now");
    expect(before("tick", "tick of tick") && before("job of job", "tick of job")).toBe(true);
    expect(order.slice(-4)).toEqual(["timer", "tick of timer", "job of timer", "immediate"]);
  });

  it("runs timers by their time, and those of the same time in their order", async () => {
    const order: number[] = [];
    for (const [name, time] of [
      [3, 30],
      [1, 5],
      [2, 5],
    ] as const) {
      setTimeout((given: number) => order.push(given), time, name);
    }
    await delay(60);
    expect(order).toEqual([1, 2, 3]);
  });

  it("clears timers and immediates, also within their own turn", async () => {
    const ran: string[] = [];
    setTimeout(() => {
      clearTimeout(second);
    }, 5);
    const second = setTimeout(() => ran.push("second"), 5);
    const later = setImmediate(() => ran.push("immediate"));
    clearImmediate(later);
    let turns = 0;
    const cleared: Promise<void> = new Promise((resolve) => {
      const interval = setInterval(() => {
        turns += 1;
        if (turns < 3) return;
        clearInterval(interval);
        resolve();
      }, 1);
    });
    await cleared;
    await delay(20);
    expect([ran, turns]).toEqual([[], 3]);
  });

  it("can be told that no program waits for it", () => {
    const timer = setTimeout(() => undefined, 1);
    expect([timer.hasRef(), timer.unref().hasRef(), timer.ref().hasRef()]).toEqual([true, false, true]);
    clearTimeout(timer);
  });

  it("is aborted", async () => {
    const abort = new AbortController();
    const waiting = delay(10_000, "value", { signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ name: "AbortError", code: "ABORT_ERR" });
    expect(await delay(1, "value")).toBe("value");
    expect(await immediate("now")).toBe("now");
  });
});

/** So many rounds without a turn of anything else: by then the other has been kept from it. */
const MANY = 20_000;

/** Whether a timer has its turn while something goes on and on. */
async function leavesTurns(goOn: (isOver: () => boolean) => Promise<unknown>): Promise<boolean> {
  let hadTurn = false;
  setTimeout(() => {
    hadTurn = true;
  }, 1);
  let rounds = 0;
  await goOn(() => hadTurn || ++rounds > MANY);
  return hadTurn;
}

describe("a turn is left to others", () => {
  it("by signals whose listener causes the next", async () => {
    const turns = await leavesTurns(
      (isOver) =>
        new Promise<void>((resolve) => {
          const again = (): void => {
            if (!isOver()) {
              process.kill(process.pid, "SIGUSR2");
              return;
            }
            process.off("SIGUSR2", again);
            resolve();
          };
          process.on("SIGUSR2", again);
          process.kill(process.pid, "SIGUSR2");
        }),
    );
    expect(turns).toBe(true);
  });

  it("by promises of files", async () => {
    const paths = await leavesTurns(async (isOver) => {
      while (!isOver()) await stat("/");
    });
    const handles = await leavesTurns(async (isOver) => {
      await using file = await open("/dev/zero");
      while (!isOver()) await file.read(Buffer.alloc(1), 0, 1, null);
    });
    expect([paths, handles]).toEqual([true, true]);
  });

  it("by callbacks of files", async () => {
    const fd = openSync("/dev/zero", "r");
    const turns = await leavesTurns(
      (isOver) =>
        new Promise<void>((resolve) => {
          const again = (): void => {
            if (isOver()) resolve();
            else read(fd, Buffer.alloc(1), 0, 1, null, again);
          };
          again();
        }),
    );
    closeSync(fd);
    expect(turns).toBe(true);
  });

  it("by a stream that writes a file", async () => {
    const stream = createWriteStream("/dev/null");
    const turns = await leavesTurns(async (isOver) => {
      while (!isOver()) await new Promise((resolve) => stream.write("x", resolve));
    });
    stream.destroy();
    expect(turns).toBe(true);
  });
});

describe("AbortSignal", () => {
  it("tells its listeners once, with a reason", () => {
    const abort = new AbortController();
    const told: unknown[] = [];
    abort.signal.addEventListener("abort", () => told.push(abort.signal.reason), { once: true });
    abort.signal.onabort = () => told.push("onabort");
    abort.abort("why");
    abort.abort("again");
    expect(told.toSorted()).toEqual(["onabort", "why"]);
    expect(() => {
      abort.signal.throwIfAborted();
    }).toThrow();
    expect(new AbortController().signal.aborted).toBe(false);
  });

  it("has reasons by itself", async () => {
    expect(AbortSignal.abort().reason).toMatchObject({ name: "AbortError", code: 20 });
    const timeout = AbortSignal.timeout(1);
    await delay(20);
    expect([timeout.aborted, (timeout.reason as Error).name]).toEqual([true, "TimeoutError"]);
    const abort = new AbortController();
    const any = AbortSignal.any([new AbortController().signal, abort.signal]);
    abort.abort("one");
    expect(any.reason).toBe("one");
  });

  it("of any is aborted with the first of its sources, before a listener is called", () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const any = AbortSignal.any([one.signal, two.signal]);
    const ofAny = AbortSignal.any([any, one.signal]);
    const order: unknown[] = [];
    ofAny.addEventListener("abort", () => order.push("of any"));
    any.addEventListener("abort", () => order.push("any"), { once: true });
    two.signal.addEventListener("abort", () => order.push([any.aborted, ofAny.reason]));
    two.abort("two");
    one.abort("one");
    expect(order).toEqual([[true, "two"], "any", "of any"]);
    expect(AbortSignal.any([]).aborted).toBe(false);
    expect(AbortSignal.any([AbortSignal.abort("before"), any]).reason).toBe("before");
    expect(() => AbortSignal.any([{} as AbortSignal])).toThrow(TypeError);
  });

  it("calls onabort in its place among listeners, with itself as this, and the last one that was set", () => {
    const abort = new AbortController();
    const told: unknown[] = [];
    abort.signal.addEventListener("abort", () => told.push("before"));
    abort.signal.onabort = () => told.push("replaced");
    abort.signal.addEventListener("abort", () => told.push("after"));
    abort.signal.onabort = function (this: AbortSignal, event) {
      told.push([this === abort.signal, event.type]);
    };
    const other = new AbortController();
    other.signal.onabort = () => told.push("taken back");
    other.signal.onabort = null;
    expect(other.signal.onabort).toBeNull();
    for (const each of [abort, other]) each.abort();
    expect(told).toEqual(["before", [true, "abort"], "after"]);
  });

  it("tells all that depend on it where an onabort throws, whose error no code has caught", async () => {
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    try {
      const uncaught: Promise<unknown> = new Promise((resolve) => process.once("uncaughtException", resolve));
      const source = new AbortController();
      const any = AbortSignal.any([source.signal]);
      const told: string[] = [];
      source.signal.onabort = () => {
        throw new Error("of onabort");
      };
      source.signal.addEventListener("abort", () => told.push("source"));
      any.onabort = () => told.push("any");
      source.abort();
      expect(told).toEqual(["source", "any"]);
      expect(await uncaught).toMatchObject({ message: "of onabort" });
    } finally {
      for (const listener of others) process.on("uncaughtException", listener);
    }
  });

  it("of any is aborted for a listener alone that waits at it", () => {
    const source = new AbortController();
    let heard: unknown;
    AbortSignal.any([source.signal]).addEventListener("abort", (event) => {
      heard = (event.target as AbortSignal).reason;
    });
    source.abort("why");
    expect(heard).toBe("why");
  });

  it("ends listeners that were added with it", () => {
    const abort = new AbortController();
    const target = new EventTarget();
    let calls = 0;
    target.addEventListener("event", () => calls++, { signal: abort.signal });
    target.dispatchEvent(new Event("event"));
    abort.abort();
    target.dispatchEvent(new Event("event"));
    expect(calls).toBe(1);
  });
});
