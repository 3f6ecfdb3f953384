import { readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { commandLineOf } from "../harness/command-line.ts";
import { readRecord } from "../harness/faults/victims.ts";
import { SavableContainer } from "../harness/savable-container.ts";
import { filesOf, whenDiskIsCopied } from "../harness/snapshots.ts";

/** What lets a container go on once its QEMU answers is no child of this process: its end is looked for. */
async function guardsHaveEnded(): Promise<void> {
  while (readdirSync("/proc").some((name) => /^\d+$/.test(name) && commandLineOf(name).includes("--guard")))
    await delay(50);
}

describe("a checkpoint whose QEMU hangs", () => {
  expectCleanHost();

  it("ends, leaves the snapshot before as it was, and lets the container go on once QEMU answers", async () => {
    await using container = await SavableContainer.create({ size: "512m" });
    const { kata, images } = container;
    const id = await container.started();
    const args = ["checkpoint", "--leave-running", "--image-path", images, id];
    await kata.ok(args);
    const before = filesOf(images);
    expect(await container.ask(id, "two")).toBe("one two");
    const { pid } = readRecord(kata, id).vm.vmm;
    const hanging = kata.run(args);
    await whenDiskIsCopied(images, () => process.kill(pid, "SIGSTOP"));
    expect(await hanging).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/stands still.*goes on once its monitor answers/) as unknown,
    });
    process.kill(pid, "SIGCONT");
    expect(await container.ask(id, "three"), "it goes on when its QEMU does").toBe("one two three");
    await guardsHaveEnded();
    expect(filesOf(images), "the snapshot before").toEqual(before);
    await kata.ok(["delete", "--force", id]);
    const other = `${id}-other`;
    await container.restoreDetached(other);
    expect(await container.ask(other, "again")).toBe("one again");
  });
});
