import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mount, unmount } from "@kata-ts/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { disownVm, ownVm, readOwner, reserveDisowning, writeOwner } from "./vm-owner.ts";

const NOTE = "of the next ".repeat(2000);

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "vm-owner-"));
  mount("none", directory, "tmpfs", 0, "size=256k");
});

afterEach(() => {
  unmount(directory);
  rmSync(directory, { recursive: true });
});

function fill(): void {
  expect(() => {
    for (let number = 0; ; number++) writeFileSync(join(directory, `full-${String(number)}`), Buffer.alloc(4096));
  }).toThrow("ENOSPC");
}

describe("what is written down of a VM that is let go of", () => {
  it("is written down on a file system that is full by then, if there was room for it before", async () => {
    await writeOwner(directory, { sandboxId: "one" });
    await reserveDisowning(directory, NOTE);
    expect((await readOwner(directory))?.detached).toBeUndefined();
    fill();
    await disownVm(directory, NOTE.slice(0, -9));
    expect(await readOwner(directory)).toMatchObject({ sandboxId: "one", detached: NOTE.slice(0, -9) });
  });

  it("is not there, and the room is given back, where there was none before", async () => {
    await writeOwner(directory, { sandboxId: "one" });
    fill();
    await expect(reserveDisowning(directory, NOTE)).rejects.toThrow("ENOSPC");
    await expect(disownVm(directory, NOTE)).rejects.toThrow("ENOSPC");
    expect((await readOwner(directory))?.detached).toBeUndefined();
    rmSync(join(directory, "full-0"));
    rmSync(join(directory, "full-1"));
    await ownVm(directory);
  });
});
