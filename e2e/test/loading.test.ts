import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { loadedBy } from "../harness/loaded.ts";
import { DIST } from "../harness/paths.ts";

/** Parts of the program, each by a word that no other part has. */
const PARTS = {
  "messages of Kata 1.x's containers": "LinuxSeccomp",
  "monitor of QEMU": "device_add",
  gRPC: "http2",
  "schemas of what others write": "invalid_type",
} as const;

type Part = keyof typeof PARTS;

const LIBEXEC = join(DIST, "libexec", "kata-ts");

describe("a call of kata-runtime", () => {
  expectCleanHost();

  it("loads what it uses, all through a container's life", async () => {
    const programs = readdirSync(LIBEXEC).filter((name) => name.startsWith("runtime-cli-"));
    const all = programs.map((name) => readFileSync(join(LIBEXEC, name), "latin1")).join("\n");
    expect(partsIn(all)).toEqual(Object.keys(PARTS));
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["sleep", "1000"] });
    const id = kata.id();
    const calls: readonly [verb: string, args: readonly string[], maxKiB: number, parts: readonly Part[]][] = [
      [
        "create",
        ["--bundle", path, id],
        610,
        ["messages of Kata 1.x's containers", "monitor of QEMU", "schemas of what others write"],
      ],
      ["start", [id], 270, []],
      ["state", [id], 40, []],
      ["list", [], 40, []],
      ["exec", [id, "true"], 300, ["schemas of what others write"]],
      ["kill", [id, "KILL"], 150, []],
      ["delete", ["--force", id], 270, []],
    ];
    for (const [verb, args, maxKiB, parts] of calls) {
      const { status, bytes, files, text } = await loadedBy([verb, ...args], kata);
      expect(status, verb).toBe(0);
      expect(partsIn(text), verb).toEqual(parts);
      expect(bytes / 1024, `KiB that ${verb} reads, from ${String(files)} files`).toBeLessThan(maxKiB);
    }
  }, 120_000);
});

function partsIn(text: string): string[] {
  return Object.entries(PARTS).flatMap(([part, word]) => (text.includes(word) ? [part] : []));
}
