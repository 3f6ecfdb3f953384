import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "vitest";
import { FileStore, MemoryStore } from "../src/index.ts";
import {
  agentCompliance,
  detachingCompliance,
  FakeAgent,
  FakeHypervisor,
  hypervisorCompliance,
  storeCompliance,
} from "../src/testing/index.ts";

describe("MemoryStore", () => {
  it.each(storeCompliance)("$rule", async ({ check }) => {
    await check(new MemoryStore());
  });
});

describe("FileStore", () => {
  it.each(storeCompliance)("$rule", async ({ check }) => {
    const root = mkdtempSync(join(tmpdir(), "store-"));
    try {
      await check(new FileStore(root));
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

describe("FakeHypervisor", () => {
  it.each([...hypervisorCompliance, ...detachingCompliance])("$rule", async ({ check }) => {
    await check(new FakeHypervisor());
  });
});

describe("FakeAgent", () => {
  it.each(agentCompliance)("$rule", async ({ check }) => {
    await check({
      agent: new FakeAgent().connect(),
      sandbox: {},
      container: (container_id) => ({ container_id, exec_id: container_id }),
    });
  });
});
