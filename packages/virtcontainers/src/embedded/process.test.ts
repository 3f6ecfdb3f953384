import { once } from "node:events";
import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Process } from "./process.ts";

describe("the lines of a process", () => {
  let stdout: PassThrough;
  let stderr: PassThrough;
  let kills: number;
  const uncaught: unknown[] = [];
  const onUncaught = (error: unknown): void => {
    uncaught.push(error);
  };

  beforeEach(() => {
    [stdout, stderr, kills, uncaught.length] = [new PassThrough(), new PassThrough(), 0, 0];
    for (const output of [stdout, stderr]) output.on("error", () => undefined);
    process.on("uncaughtException", onUncaught);
  });
  afterEach(() => {
    process.off("uncaughtException", onUncaught);
  });

  function begun(): Process {
    const guest = { stdin: new PassThrough(), stdout, stderr, killSession: () => (kills += 1) };
    return new Process(guest as unknown as ConstructorParameters<typeof Process>[0]);
  }

  it("end with its output", async () => {
    stdout.end("one\ntwo\r\nthree");
    const lines: string[] = [];
    for await (const line of begun()) lines.push(line);
    expect(lines).toEqual(["one", "two", "three"]);
    expect(kills).toBe(0);
  });

  it("throw what the output fails with", async () => {
    stdout.write("one\n");
    const lines = begun()[Symbol.asyncIterator]();
    expect(await lines.next()).toEqual({ value: "one", done: false });
    stdout.destroy(new Error("the guest was lost"));
    await expect(lines.next()).rejects.toThrow("the guest was lost");
  });

  it("kill it when the loop is left, and a guest that is lost afterwards does not end the program", async () => {
    stdout.write("one\ntwo\n");
    for await (const line of begun()) {
      expect(line).toBe("one");
      break;
    }
    expect(kills).toBe(1);
    // What it writes now is read and dropped: it could not end otherwise.
    const drained = once(stdout, "drain");
    stdout.write(Buffer.alloc(2 ** 20));
    await drained;
    stdout.destroy(new Error("the guest was lost"));
    await setImmediate();
    expect(uncaught).toEqual([]);
  });
});
