import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { boundGroupsBelow, boundGroupsOf, processesIn, removeCgroup } from "./cgroup.ts";

/** A name that a container may give a group of its own. */
const NOT_TEXT = Buffer.from("6869ff80fe", "hex");

describe("the control groups of a container that writes its own", () => {
  let top: string;

  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), "kata-group-"));
  });

  afterEach(() => {
    rmSync(top, { recursive: true, force: true });
  });

  function below(name: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`${top}/`), name]);
  }

  it("hide no process behind a name that is no text", () => {
    writeFileSync(join(top, "cgroup.procs"), "11\n");
    mkdirSync(join(top, "plain"));
    writeFileSync(join(top, "plain", "cgroup.procs"), "12\n13\n");
    const odd = below(NOT_TEXT);
    mkdirSync(odd);
    const file = Buffer.concat([odd, Buffer.from("/cgroup.procs")]);
    writeFileSync(file, "14\n");
    expect(processesIn(top).sort()).toEqual([11, 12, 13, 14]);
    // rmSync of Node removes none of these.
    rmSync(file);
    rmdirSync(odd);
  });

  it("are removed whatever their names are", () => {
    mkdirSync(below(NOT_TEXT));
    mkdirSync(Buffer.concat([below(NOT_TEXT), Buffer.from("/below")]));
    removeCgroup(top);
    expect(existsSync(top)).toBe(false);
  });

  it("are as deep and as many as a walk can visit, by the kernel's own bound", () => {
    boundGroupsBelow(top);
    expect(readFileSync(join(top, "cgroup.max.depth"), "latin1")).toBe("33");
    expect(readFileSync(join(top, "cgroup.max.descendants"), "latin1")).toBe("10000");
  });

  it("are fewer than the guest's all, of one container", () => {
    boundGroupsOf(top);
    expect(readFileSync(join(top, "cgroup.max.descendants"), "latin1")).toBe("1000");
  });

  it("that are gone have no processes, and are removed", () => {
    expect(processesIn(join(top, "none"))).toEqual([]);
    removeCgroup(join(top, "none"));
  });
});
