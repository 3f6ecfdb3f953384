import { mkdirSync, mkdtempSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isPopulated } from "./remove.ts";

describe("a cgroup of the host", () => {
  let top: string;

  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), "kata-populated-"));
    writeFileSync(join(top, "cgroup.procs"), "");
  });

  afterEach(() => {
    rmSync(top, { recursive: true });
  });

  it("of v1 has the processes of all below it, whatever their names are", () => {
    expect(isPopulated(top)).toBe(false);
    const odd = Buffer.concat([Buffer.from(`${top}/`), Buffer.from("ff80", "hex")]);
    const processes = Buffer.concat([odd, Buffer.from("/cgroup.procs")]);
    mkdirSync(odd);
    writeFileSync(processes, "1\n");
    expect(isPopulated(top)).toBe(true);
    unlinkSync(processes);
    rmdirSync(odd);
  });

  it("of v2 has what the kernel says", () => {
    writeFileSync(join(top, "cgroup.events"), "populated 1\nfrozen 0\n");
    expect(isPopulated(top)).toBe(true);
    writeFileSync(join(top, "cgroup.events"), "populated 0\nfrozen 0\n");
    expect(isPopulated(top)).toBe(false);
  });

  it("that is missing has none", () => {
    expect(isPopulated(join(top, "none"))).toBe(false);
  });
});
