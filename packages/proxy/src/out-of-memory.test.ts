import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { countsKills } from "./out-of-memory.ts";

it.each([
  ["memory.events of v2", "low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0\n", true],
  ["memory.events without a kill", "low 0\nmax 3\noom 1\noom_kill 0\n", false],
  ["memory.oom_control of v1", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", true],
  ["memory.oom_control of an old kernel", "oom_kill_disable 0\nunder_oom 1\n", false],
])("%s tells whether a process was ended for want of memory", (_, text, expected) => {
  const directory = mkdtempSync(join(tmpdir(), "oom-"));
  try {
    writeFileSync(join(directory, "file"), text);
    expect(countsKills(join(directory, "file"))).toBe(expected);
    expect(countsKills(join(directory, "absent"))).toBe(false);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
