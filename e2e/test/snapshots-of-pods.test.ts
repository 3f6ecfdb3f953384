import { join } from "node:path";
import { Sandbox } from "@kata-ts/virtcontainers";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { pythonRootfs } from "../harness/images.ts";
import { SHARE } from "../harness/paths.ts";
import { COUNTER, conversation, DATABASE, Scratch } from "../harness/snapshots.ts";

const savable = {
  ...{ kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4") },
  ...{ memoryMiB: 512, sharedFs: "none" as const },
};

const SOUND = /^ok ([1-9]\d*)$/;

describe("snapshots of sandboxes with several containers", () => {
  expectCleanHost();

  it("are of a whole pod: a database under writes, a counter, a paused container, and an exec that is attached", async () => {
    await using scratch = new Scratch();
    const directory = join(scratch.path, "snapshot");
    {
      await using sandbox = await Sandbox.create({ vm: savable, id: "pod" });
      const database = await sandbox.createContainer({
        ...{ rootfs: await scratch.disk("database", await pythonRootfs(), "512m"), id: "database" },
        args: ["python3", "-c", DATABASE],
      });
      const written = conversation((await database.start()).process);
      expect(await written("a")).toMatch(SOUND);
      const counter = await sandbox.createContainer({
        ...{ rootfs: await scratch.disk("counter"), id: "counter" },
        args: ["sh", "-c", COUNTER],
      });
      const counted = conversation((await counter.start()).process);
      expect(await counted("a")).toBe("a 1");
      const paused = await sandbox.createContainer({
        ...{ rootfs: await scratch.disk("paused"), id: "paused" },
        args: ["sh", "-c", COUNTER],
      });
      const running = await paused.start();
      expect(await conversation(running.process)("a")).toBe("a 1");
      const exec = await running.exec({ args: ["sh", "-c", COUNTER] });
      const asked = conversation(exec);
      expect(await asked("exec")).toBe("exec 1");
      const standing = await running.pause();

      const { containers } = await sandbox.snapshot(directory);
      expect([...containers].sort()).toEqual(["counter", "database", "paused"]);
      expect(await written("b"), "the database goes on").toMatch(SOUND);
      expect(await counted("b")).toBe("b 2");
      await standing.resume();
      expect(await asked("attached"), "the exec is attached as before").toBe("attached 2");
    }
    await using sandbox = await Sandbox.restore(directory, { vm: savable });
    const found = Object.fromEntries(sandbox.restored.map((container) => [container.id, container]));
    const { database, counter, paused } = found;
    if (database === undefined || counter === undefined || paused === undefined) throw new Error("not all are back");
    const written = conversation(database.process);
    const rows = async (): Promise<number> => {
      const answer = await written("c");
      expect(answer, "with its memory and its disk of one moment").toMatch(SOUND);
      return Number(SOUND.exec(answer)?.[1]);
    };
    const first = await rows();
    expect(await rows(), "it writes").toBeGreaterThan(first);
    expect(await conversation(counter.process)("c")).toBe("c 2");
    expect(await conversation(paused.process)("c"), "it was paused, and runs").toBe("c 2");
  });
});
