import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { isOnNode } from "../harness/engine-tree.ts";
import { Kata } from "../harness/kata.ts";
import { observedRuntime } from "../harness/loaded.ts";

/** Parts of the program, each by a word that no other part has. */
const PARTS = {
  "messages of Kata 1.x's containers": "LinuxSeccomp",
  "monitor of QEMU": "device_add",
  gRPC: isOnNode ? "http2" : "PRI * HTTP/2.0",
  "schemas of what others write": "invalid_type",
} as const;

type Part = keyof typeof PARTS;

/**
 * What is loaded for the engine is not minified, and has modules that are Node's own. The bounds are what was read when they were
 * written, and some three per cent: a verb that comes to load a part of another is beyond them.
 */
type KiB = Readonly<Record<"node" | "quickjs", number>>;

describe("a call of kata-runtime", () => {
  expectCleanHost();

  let directory = "";

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-loading-"));
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it("loads what it uses, all through a container's life", async () => {
    const runtime = await observedRuntime(directory);
    expect(partsIn(runtime.text)).toEqual(Object.keys(PARTS));
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["sleep", "1000"] });
    const id = kata.id();
    const calls: readonly [verb: string, args: readonly string[], maxKiB: KiB, parts: readonly Part[]][] = [
      [
        "create",
        ["--bundle", path, id],
        { node: 610, quickjs: 1300 },
        ["messages of Kata 1.x's containers", "monitor of QEMU", "schemas of what others write"],
      ],
      ["start", [id], { node: 270, quickjs: 775 }, []],
      ["state", [id], { node: 40, quickjs: 370 }, []],
      ["list", [], { node: 40, quickjs: 370 }, []],
      ["exec", [id, "true"], { node: 300, quickjs: 760 }, ["schemas of what others write"]],
      ["kill", [id, "KILL"], { node: 150, quickjs: 615 }, []],
      ["delete", ["--force", id], { node: 270, quickjs: 760 }, []],
    ];
    for (const [verb, args, maxKiB, parts] of calls) {
      const { status, bytes, files, text } = await runtime.loadedBy([verb, ...args], kata);
      expect(status, verb).toBe(0);
      expect(partsIn(text), verb).toEqual(parts);
      const most = isOnNode ? maxKiB.node : maxKiB.quickjs;
      expect(bytes / 1024, `KiB that ${verb} reads, from ${String(files)} files`).toBeLessThan(most);
    }
  }, 120_000);
});

function partsIn(text: string): string[] {
  return Object.entries(PARTS).flatMap(([part, word]) => (text.includes(word) ? [part] : []));
}
