// What holds what: the engine counts references, so that an object goes with its last one. Run by the engine alone.
import { describe, expect, it } from "vitest";
import { Dependents } from "../src/node/dom/dependents.ts";

describe("a source that lives long", () => {
  it("holds no signal of any() that no listener waits at", async () => {
    const source = new AbortController();
    const references = [
      new WeakRef(AbortSignal.any([source.signal])),
      new WeakRef(AbortSignal.any([AbortSignal.any([source.signal])])),
      new WeakRef(heardAndLeft(source.signal)),
    ];
    // What a WeakRef was made of lives to the end of the turn.
    await new Promise(setImmediate);
    expect(references.map((reference) => reference.deref())).toEqual([undefined, undefined, undefined]);
  });

  it("holds one while a listener waits at it, and calls that", async () => {
    const source = new AbortController();
    const heard: string[] = [];
    AbortSignal.any([source.signal]).addEventListener("abort", () => heard.push("listener"));
    AbortSignal.any([source.signal]).onabort = () => heard.push("onabort");
    await new Promise(setImmediate);
    source.abort();
    expect(heard).toEqual(["listener", "onabort"]);
  });

  it("holds no target whose listener, which it would have ended, is over", async () => {
    const source = new AbortController();
    const reference = new WeakRef(heardOnceBy(source.signal));
    await new Promise(setImmediate);
    expect(reference.deref()).toBeUndefined();
  });

  it("knows at most twice as many dependents as live", () => {
    const dependents: Dependents<object> = new Dependents();
    const living: object[] = [];
    for (let count = 0; count < 10_000; count++) {
      if (count % 100 === 0) living.push({});
      dependents.add(count % 100 === 0 ? (living.at(-1) ?? {}) : {});
    }
    expect([...dependents]).toEqual(living);
    expect(dependents.size).toBeLessThanOrEqual(2 * living.length + 1);
  });
});

function heardAndLeft(source: AbortSignal): AbortSignal {
  const signal = AbortSignal.any([source]);
  const listener = (): void => undefined;
  signal.addEventListener("abort", listener);
  signal.removeEventListener("abort", listener);
  return signal;
}

function heardOnceBy(signal: AbortSignal): EventTarget {
  const target = new EventTarget();
  target.addEventListener("event", () => undefined, { once: true, signal });
  target.dispatchEvent(new Event("event"));
  return target;
}
