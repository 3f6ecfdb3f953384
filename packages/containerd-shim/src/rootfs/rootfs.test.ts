import { MountFlag } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { mountOptions } from "./mount-options.ts";
import { shortened } from "./overlay.ts";

describe("a snapshotter's options", () => {
  it("are flags, and what is left for the file system", () => {
    expect(mountOptions(["rbind", "ro"])).toEqual({
      flags: MountFlag.bind + MountFlag.rec + MountFlag.rdonly,
      data: "",
    });
    expect(mountOptions(["ro", "rw", "nosuid"])).toEqual({ flags: MountFlag.nosuid, data: "" });
    expect(mountOptions(["index=off", "lowerdir=/a:/b", "ro"])).toEqual({
      flags: MountFlag.rdonly,
      data: "index=off,lowerdir=/a:/b",
    });
  });
});

describe("an overlay's options", () => {
  it("stay as they are where they are short", () => {
    expect(shortened("lowerdir=/a/1:/a/2")).toBeUndefined();
  });

  it("name layers from the directory that all are in where they are long", () => {
    const layers = Array.from({ length: 200 }, (_, index) => `/var/lib/containerd/snapshots/${String(index)}/fs`);
    const short = shortened(`index=off,lowerdir=${layers.join(":")}`);
    expect(short?.directory).toBe("/var/lib/containerd/snapshots");
    expect(short?.data).toMatch(/^index=off,lowerdir=0\/fs:1\/fs:.*:199\/fs$/);
  });
});
