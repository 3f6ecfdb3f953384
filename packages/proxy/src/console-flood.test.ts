import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Flood, sendFlood, WatchedProgram } from "@kata-ts/fuzzing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const MIB = 1024 * 1024;
const FILE_BYTES = MIB;

function* forever(text: string): Flood {
  const words = Buffer.from(text.repeat(1024));
  for (;;) yield words;
}

describe("a guest that floods its console", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "console-flood-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it.each([
    ["one line without end", "x"],
    ["empty lines", "\n"],
    ["what would steer a terminal", "\u001b[2J\u202e"],
    ["bytes that are no text", "\u0000\u00ff"],
    ["what it says when it is up", "kata-agent: ready\n"],
    ["what it almost says then", "kata-agent: read"],
  ])("costs little and holds nothing up: %s", { timeout: 60_000 }, async (_, text) => {
    const file = join(directory, "console.log");
    await using program = new WatchedProgram(join(import.meta.dirname, "flooded-console.ts"), [file], {
      stdio: ["pipe", "ignore", "inherit"],
    });
    const before = await program.before();
    await sendFlood(program.stdin, forever(text));
    await program.expectBounded(before);
    for (const kept of [file, `${file}.1`]) expect(statSync(kept).size).toBeLessThanOrEqual(FILE_BYTES);
  });
});
