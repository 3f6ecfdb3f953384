import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VmMembers } from "./vm-members.ts";

describe("the members of a VM", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "members-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it("leave, however many at once, with exactly one being the last", async () => {
    const members = new VmMembers(directory);
    await members.prepare();
    const ids = Array.from({ length: 20 }, (_, index) => `c${String(index)}`);
    await Promise.all(ids.map((id) => new VmMembers(directory).join(id)));
    const last = await Promise.all(ids.map((id) => new VmMembers(directory).leave(id)));
    expect(last.filter(Boolean)).toHaveLength(1);
    await expect(members.join("late")).rejects.toMatchObject({ code: "KATA_VM_GONE" });
  });

  it("have all left when the VM's directory is gone", async () => {
    const members = new VmMembers(join(directory, "gone"));
    expect(await members.leave("a")).toBe(true);
    expect(await members.list()).toEqual([]);
    await expect(members.join("a")).rejects.toMatchObject({ code: "KATA_VM_GONE" });
    expect(existsSync(join(directory, "gone"))).toBe(false);
  });
});
