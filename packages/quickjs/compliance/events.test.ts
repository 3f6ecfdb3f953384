import { EventEmitter, on, once } from "node:events";
import { describe, expect, it } from "vitest";

describe("EventEmitter", () => {
  it("calls listeners in the order in which they were added, prepended ones first", () => {
    const emitter = new EventEmitter();
    const heard: string[] = [];
    emitter.on("it", () => heard.push("first"));
    emitter.once("it", () => heard.push("once"));
    emitter.prependListener("it", () => heard.push("prepended"));
    expect(emitter.emit("it")).toBe(true);
    expect(emitter.emit("it")).toBe(true);
    expect(heard).toEqual(["prepended", "first", "once", "prepended", "first"]);
    expect(emitter.emit("other")).toBe(false);
    expect(emitter.listenerCount("it")).toBe(2);
  });

  it("goes on with the listeners that it began with", () => {
    const emitter = new EventEmitter();
    const heard: string[] = [];
    const second = (): void => {
      heard.push("second");
    };
    emitter.on("it", () => {
      heard.push("first");
      emitter.off("it", second);
      emitter.on("it", () => heard.push("new"));
    });
    emitter.on("it", second);
    emitter.emit("it");
    expect(heard).toEqual(["first", "second"]);
    expect(emitter.listenerCount("it")).toBe(2);
  });

  it("passes arguments, and itself as this", () => {
    const emitter = new EventEmitter();
    let seen: unknown[] = [];
    emitter.on("it", function (this: unknown, ...args: unknown[]) {
      seen = [this === emitter, ...args];
    });
    emitter.emit("it", 1, "two");
    expect(seen).toEqual([true, 1, "two"]);
  });

  it("throws an error that has no listener", () => {
    const emitter = new EventEmitter();
    expect(() => emitter.emit("error", new Error("mine"))).toThrow("mine");
    expect(() => emitter.emit("error", "text")).toThrow(/text/);
    let code: unknown;
    try {
      emitter.emit("error", "text");
    } catch (error) {
      ({ code } = error as { code: unknown });
    }
    expect(code).toBe("ERR_UNHANDLED_ERROR");
  });

  it("tells of new and removed listeners", () => {
    const emitter = new EventEmitter();
    const told: unknown[] = [];
    const listener = (): void => undefined;
    emitter.on("newListener", (name) => told.push(["new", name]));
    emitter.on("removeListener", (name) => told.push(["removed", name]));
    emitter.on("it", listener);
    emitter.off("it", listener);
    emitter.removeAllListeners("newListener");
    expect(told).toEqual([
      ["new", "removeListener"],
      ["new", "it"],
      ["removed", "it"],
      ["removed", "newListener"],
    ]);
  });

  it("can be the parent of a class, and be called on an object", () => {
    class Child extends EventEmitter {
      readonly own = 1;
    }
    const child = new Child();
    let count = 0;
    child.on("it", () => {
      count += child.own;
    });
    child.emit("it");
    expect([count, child instanceof EventEmitter]).toEqual([1, true]);
  });

  it("refuses what is no function", () => {
    expect(() => new EventEmitter().on("it", "no function" as never)).toThrow(TypeError);
  });
});

describe("once", () => {
  it("gives the next event's arguments, and forgets its listeners", async () => {
    const emitter = new EventEmitter();
    const promise = once(emitter, "it");
    emitter.emit("it", 1, 2);
    expect(await promise).toEqual([1, 2]);
    expect([emitter.listenerCount("it"), emitter.listenerCount("error")]).toEqual([0, 0]);
  });

  it("rejects with an error, and with an abort", async () => {
    const emitter = new EventEmitter();
    const failing = once(emitter, "it");
    emitter.emit("error", new Error("mine"));
    await expect(failing).rejects.toThrow("mine");
    const abort = new AbortController();
    const aborted = once(emitter, "it", { signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(aborted).rejects.toMatchObject({ name: "AbortError", code: "ABORT_ERR" });
    expect(emitter.listenerCount("it")).toBe(0);
  });

  it("takes an EventTarget", async () => {
    const target = new EventTarget();
    const promise = once(target, "it");
    target.dispatchEvent(new Event("it"));
    expect(((await promise) as Event[])[0]?.type).toBe("it");
  });
});

describe("on", () => {
  it("gives all events from now on, until it is left", async () => {
    const emitter = new EventEmitter();
    const events = on(emitter, "it");
    const first = events.next();
    emitter.emit("it", 1);
    emitter.emit("it", 2);
    expect([(await first).value, (await events.next()).value]).toEqual([[1], [2]]);
    await events.return?.();
    expect(emitter.listenerCount("it")).toBe(0);
  });
});
