import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identifyProcess } from "@kata-ts/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { whenEnded } from "./remove-at-end.ts";

const POLL = { timeout: 10_000 };
let directory = "";
const mark = (): string => join(directory, "done");

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "at-end-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe("what follows the end of a process", { timeout: 30_000 }, () => {
  it("is run then, and not before", async () => {
    const child = spawn("cat", { stdio: ["pipe", "ignore", "ignore"] });
    await once(child, "spawn");
    const identity = identifyProcess(child.pid ?? 0);
    const other = join(directory, "other");
    await whenEnded(identity, ["touch", mark()]);
    await whenEnded({ ...identity, pid: 0 }, ["touch", other]);
    await expect.poll(() => existsSync(other), POLL).toBe(true);
    expect(existsSync(mark())).toBe(false);
    child.stdin.end();
    await expect.poll(() => existsSync(mark()), POLL).toBe(true);
  });

  it("is run at once where another process has its number", async () => {
    const { pid, startTime } = identifyProcess(process.pid);
    await whenEnded({ pid, startTime: startTime - 1 }, ["touch", mark()]);
    await expect.poll(() => existsSync(mark()), POLL).toBe(true);
  });
});
