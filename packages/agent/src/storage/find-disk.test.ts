import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findDisk } from "./find-disk.ts";

describe("disks, by where Kata's runtimes say they are", () => {
  let sys = "";
  beforeEach(() => {
    sys = mkdtempSync(join(tmpdir(), "sys-"));
  });
  afterEach(() => {
    rmSync(sys, { recursive: true });
  });

  it("scsi: by id and unit, on any adapter, which is scanned again", () => {
    for (const host of ["host0", "host2"]) {
      mkdirSync(join(sys, "class/scsi_host", host), { recursive: true });
      writeFileSync(join(sys, "class/scsi_host", host, "scan"), "");
    }
    expect(findDisk("scsi", "1:3", sys)).toBeUndefined();
    expect(readFileSync(join(sys, "class/scsi_host/host2/scan"), "utf8")).toBe("0 1 3");
    mkdirSync(join(sys, "bus/scsi/devices/2:0:1:3/block/sdb"), { recursive: true });
    expect(findDisk("scsi", "1:3", sys)).toBe("sdb");
    expect(findDisk("scsi", "1:30", sys)).toBeUndefined();
  });

  it.each(["nvdimm", "mmioblk"])("%s: by name, once it is there", (kind) => {
    expect(findDisk(kind, "/dev/pmem1", sys)).toBeUndefined();
    mkdirSync(join(sys, "class/block/pmem1"), { recursive: true });
    expect(findDisk(kind, "/dev/pmem1", sys)).toBe("pmem1");
  });

  it.each([
    ["scsi", "1"],
    ["scsi", "../1:2"],
    ["scsi", ""],
    ["nvdimm", "/dev/../etc/passwd"],
    ["nvdimm", "pmem1"],
    ["floppy", "/dev/fd0"],
    ["constructor", "x"],
  ])("refuse %s at %j", (kind, where) => {
    expect(() => findDisk(kind, where, sys)).toThrow(/is no|Unknown kind/);
  });
});
