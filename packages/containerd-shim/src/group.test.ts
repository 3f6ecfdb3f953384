import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { groupOf } from "./group.ts";

describe("the pod of a container", () => {
  let bundle = "";

  beforeEach(() => {
    bundle = mkdtempSync(join(tmpdir(), "group-"));
  });

  afterEach(() => {
    rmSync(bundle, { recursive: true });
  });

  function write(config: unknown): void {
    writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
  }

  it("is what its annotations say, those of Kubernetes first", () => {
    write({ ociVersion: "1.0.2", annotations: { "io.containerd.runc.v2.group": "group" } });
    expect(groupOf(bundle, "web")).toBe("group");
    const annotations = { "io.containerd.runc.v2.group": "group", "io.kubernetes.cri.sandbox-id": "pod" };
    write({ ociVersion: "1.0.2", annotations });
    expect(groupOf(bundle, "web")).toBe("pod");
  });

  it.each([undefined, {}, { annotations: null }, { annotations: {} }, { annotations: { other: 3 } }, "no object"])(
    "is its own where config.json is %j",
    (config) => {
      if (config !== undefined) write(config);
      expect(groupOf(bundle, "web")).toBe("web");
    },
  );
});
