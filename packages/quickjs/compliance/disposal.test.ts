import { describe, expect, it } from "vitest";

function codeOf(body: () => unknown): unknown {
  try {
    return body();
  } catch (error) {
    return error;
  }
}

describe("DisposableStack", () => {
  it("undoes all, the last first, and once", () => {
    const order: string[] = [];
    const stack = new DisposableStack();
    const resource = stack.use({
      [Symbol.dispose]: () => {
        order.push("used");
      },
    });
    expect(typeof resource).toBe("object");
    expect(stack.adopt("value", (value) => order.push(`adopted ${value}`))).toBe("value");
    stack.defer(() => order.push("deferred"));
    const nothing: Disposable | undefined = undefined;
    stack.use(nothing);
    expect(stack.disposed).toBe(false);
    stack.dispose();
    stack.dispose();
    expect([order, stack.disposed]).toEqual([["deferred", "adopted value", "used"], true]);
    expect(
      codeOf(() => {
        stack.defer(() => undefined);
      }),
    ).toBeInstanceOf(ReferenceError);
    expect(codeOf(() => new DisposableStack().use({} as Disposable))).toBeInstanceOf(TypeError);
  });

  it("undoes all although some of it fails, and says all that failed", () => {
    const order: string[] = [];
    const stack = new DisposableStack();
    stack.defer(() => order.push("first"));
    for (const word of ["second", "third"]) {
      stack.defer(() => {
        throw new Error(word);
      });
    }
    const failure = codeOf(() => {
      stack.dispose();
    }) as SuppressedError;
    expect([order, failure.name, (failure.error as Error).message, (failure.suppressed as Error).message]).toEqual([
      ["first"],
      "SuppressedError",
      "second",
      "third",
    ]);
    expect(failure).toBeInstanceOf(SuppressedError);
  });

  it("can be moved, and is then over", () => {
    const order: string[] = [];
    const stack = new DisposableStack();
    stack.defer(() => order.push("it"));
    const moved = stack.move();
    stack.dispose();
    expect([order, stack.disposed, moved.disposed]).toEqual([[], true, false]);
    moved[Symbol.dispose]();
    expect(order).toEqual(["it"]);
  });
});

describe("AsyncDisposableStack", () => {
  it("waits for each step before the next, and takes what is disposed of in either way", async () => {
    const order: string[] = [];
    {
      await using stack = new AsyncDisposableStack();
      stack.use({
        [Symbol.asyncDispose]: async () => {
          await new Promise(setImmediate);
          order.push("later");
        },
        [Symbol.dispose]: () => {
          order.push("not this one");
        },
      });
      stack.use({
        [Symbol.dispose]: () => {
          order.push("at once");
        },
      });
      stack.adopt(1, async (value) => {
        await new Promise(setImmediate);
        order.push(`adopted ${String(value)}`);
      });
    }
    expect(order).toEqual(["adopted 1", "at once", "later"]);
  });

  it("does nothing where its steps were moved", async () => {
    const order: string[] = [];
    const undo = new AsyncDisposableStack();
    undo.defer(() => {
      order.push("undone");
    });
    const kept = undo.move();
    await undo.disposeAsync();
    expect(order).toEqual([]);
    kept.defer(() => Promise.reject(new Error("late")));
    await expect(kept.disposeAsync()).rejects.toThrow("late");
    expect([order, kept.disposed]).toEqual([["undone"], true]);
  });
});
