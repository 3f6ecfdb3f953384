import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { observedRuntime } from "../harness/loaded.ts";

/** Parts of the program, each by a word that no other part has. */
const PARTS = {
  "messages of Kata 1.x's containers": "LinuxSeccomp",
  "monitor of QEMU": "device_add",
  gRPC: "PRI * HTTP/2.0",
  "schemas of what others write": "invalid_type",
} as const;

type Part = keyof typeof PARTS;

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
    // What was read when they were written, and some three per cent: a verb that comes to load a part of another is beyond it.
    const calls: readonly [verb: string, args: readonly string[], maxKiB: number, parts: readonly Part[]][] = [
      [
        "create",
        ["--bundle", path, id],
        1300,
        ["messages of Kata 1.x's containers", "monitor of QEMU", "schemas of what others write"],
      ],
      ["start", [id], 775, []],
      ["state", [id], 370, []],
      ["list", [], 370, []],
      ["exec", [id, "true"], 760, ["schemas of what others write"]],
      ["kill", [id, "KILL"], 615, []],
      ["delete", ["--force", id], 760, []],
    ];
    for (const [verb, args, maxKiB, parts] of calls) {
      const { status, bytes, files, text } = await runtime.loadedBy([verb, ...args], kata);
      expect(status, verb).toBe(0);
      expect(partsIn(text), verb).toEqual(parts);
      expect(bytes / 1024, `KiB that ${verb} reads, from ${String(files)} files`).toBeLessThan(maxKiB);
    }
  }, 120_000);
});

function partsIn(text: string): string[] {
  return Object.entries(PARTS).flatMap(([part, word]) => (text.includes(word) ? [part] : []));
}
