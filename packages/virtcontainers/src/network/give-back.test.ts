import { expect, it } from "vitest";
import { giveBackEach } from "./give-back.ts";

it("gives back each of some, whichever fail, and those again that failed", async () => {
  const taken = ["first", "second", "third"];
  const given: string[] = [];
  const failing = new Set(["first", "third"]);
  const giveBack = async (item: string): Promise<void> => {
    if (failing.delete(item)) throw new Error(`${item} cannot be plugged in`);
    given.push(item);
  };
  await expect(giveBackEach(taken, giveBack)).rejects.toThrow("first cannot be plugged in");
  expect(given).toEqual(["second"]);
  await giveBackEach(taken, giveBack);
  expect(given).toEqual(["second", "first", "third"]);
  expect(taken).toEqual([]);
});
