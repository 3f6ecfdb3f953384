import { expect, it } from "vitest";
import { Gate } from "./gate.ts";

it("lets work pass together, and what has to be alone between", async () => {
  const gate = new Gate();
  const order: string[] = [];
  const [first, alone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const passing = gate.pass(async () => {
    order.push("first");
    await first.promise;
    order.push("first over");
  });
  const failing = gate.pass(() => Promise.reject(new Error("no room")));
  await expect(failing).rejects.toThrow("no room");
  const saving = gate.alone(undefined, async () => {
    order.push("alone");
    await alone.promise;
    order.push("alone over");
  });
  const later = gate.pass(async () => {
    order.push("later");
  });
  const again = gate.alone(undefined, async () => {
    order.push("again");
  });
  first.resolve();
  await passing;
  alone.resolve();
  await Promise.all([saving, later, again]);
  expect(order.slice(0, 4)).toEqual(["first", "first over", "alone", "alone over"]);
  expect(order.slice(4).sort()).toEqual(["again", "later"]);
});

it("is open again when the wait for it is given up", async () => {
  const gate = new Gate();
  const { promise, resolve } = Promise.withResolvers<void>();
  const passing = gate.pass(() => promise);
  const caller = new AbortController();
  const waiting = gate.alone(caller.signal, async () => "done");
  caller.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  expect(await gate.pass(async () => "passed")).toBe("passed");
  resolve();
  await passing;
});
