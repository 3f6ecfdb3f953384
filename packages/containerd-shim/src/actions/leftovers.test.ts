import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileStore, parseContainerId } from "@kata-ts/virtcontainers/records";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasLeftovers } from "./leftovers.ts";

let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "leftovers-"));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

async function record(id: string, sandboxId: string): Promise<void> {
  await new FileStore(root).claim({
    ...{ version: 2, id, sandboxId, status: "stopped", generation: 0, ociVersion: "1.0.2", bundle: "/b", rootfs: "/r" },
    ...{ created: new Date().toISOString(), annotations: {}, bootId: "b" },
  });
}

describe("what is left of a container", () => {
  it("is nothing where it has no record, and its pod has none", async () => {
    expect(await hasLeftovers(join(root, "missing"), "web")).toBe(false);
    await record("other", "other");
    expect(await hasLeftovers(root, "web")).toBe(false);
  });

  it("is its record, or a directory without one", async () => {
    await record("web", "web");
    expect(await hasLeftovers(root, "web")).toBe(true);
    mkdirSync(join(root, "empty"));
    expect(await hasLeftovers(root, "empty")).toBe(true);
  });

  it("is a container of its pod, or one that cannot be read", async () => {
    await record("app", "web");
    expect(await hasLeftovers(root, "web")).toBe(true);
    expect(await hasLeftovers(root, "app")).toBe(true);
    writeFileSync(join(root, parseContainerId("app"), "kata.json"), "{");
    expect(await hasLeftovers(root, "other")).toBe(true);
  });
});
