import { describe, expect, it } from "vitest";
import { UndoStack } from "./undo.ts";

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
