import { describe, expect, it } from "vitest";
import { KataError } from "./errors.ts";
import { UndoStack, undoAfter } from "./undo.ts";

describe("UndoStack", () => {
  it("takes back in reverse order, also past a failing step", async () => {
    const undone: string[] = [];
    const create = async (fails: boolean): Promise<void> => {
      await using undo = new UndoStack();
      undo.push(() => void undone.push("first"));
      undo.push(() => {
        throw new Error("undo fails");
      });
      undo.push(() => void undone.push("last"));
      if (fails) throw new Error("creation fails");
      undo.keep();
    };
    await expect(create(true)).rejects.toThrow("creation fails");
    expect(undone).toEqual(["last", "first"]);
    await create(false);
    expect(undone).toHaveLength(2);
  });
});

describe("an undo after an error", () => {
  it("leaves the error to its caller, and joins both where it fails, too", async () => {
    const error = new KataError("KATA_AGENT", "no answer");
    const undone: string[] = [];
    await undoAfter(error, async () => undone.push("undone"));
    expect(undone).toEqual(["undone"]);
    const hidden = new KataError("KATA_PROXY", "no proxy", { hint: "look at it" });
    await expect(undoAfter(error, () => Promise.reject(hidden))).rejects.toMatchObject({
      ...{ code: "KATA_AGENT", hint: "look at it", cause: error },
      message: "no answer; and what it had made or changed is left: no proxy",
    });
    await expect(undoAfter(new Error("enough"), () => Promise.reject(hidden))).rejects.toMatchObject({
      code: "KATA_PROXY",
    });
  });
});
