import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { whenOpenable } from "./disk.ts";

/** A block device number that no driver has: an open fails with ENXIO, as it does for a disk that is being added. */
const NOBODYS = ["b", "240", "65000"];

describe("a disk that is being added", () => {
  let dev = "";
  beforeEach(() => {
    dev = mkdtempSync(join(tmpdir(), "dev-"));
  });
  afterEach(() => {
    rmSync(dev, { recursive: true });
  });

  it("is there once it can be opened: not with its name in sysfs, not with its node", async () => {
    const events = new EventEmitter();
    const node = join(dev, "vda");
    const looks: string[] = [];
    const found = whenOpenable(
      () => {
        looks.push("look");
        return looks.length === 1 ? undefined : "vda";
      },
      events,
      AbortSignal.timeout(5_000),
      dev,
    );
    events.emit("data"); // In sysfs, without a node.
    await expect.poll(() => looks.length).toBe(2);
    await execa("mknod", [node, ...NOBODYS]);
    events.emit("data");
    await expect.poll(() => looks.length).toBe(3);
    rmSync(node);
    writeFileSync(node, "");
    events.emit("data");
    expect(await found).toBe("vda");
    expect(looks.length).toBeGreaterThanOrEqual(3); // The third look's open may have come after the node was replaced.
  });

  it("is looked for again after what came during a look", async () => {
    const events = new EventEmitter();
    const node = join(dev, "vda");
    const found = whenOpenable(
      () => {
        // The open that follows this look is on its way when the event comes.
        setImmediate(() => {
          writeFileSync(node, "");
          events.emit("data");
        });
        return "vda";
      },
      events,
      AbortSignal.timeout(5_000),
      dev,
    );
    expect(await found).toBe("vda");
  });

  it("is given up with the signal", async () => {
    const found = whenOpenable(() => undefined, new EventEmitter(), AbortSignal.timeout(20), dev);
    await expect(found).rejects.toThrow(/abort/i);
  });
});
