import { MountFlag } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { parseMountOptions } from "./mount-options.ts";

describe("parseMountOptions", () => {
  it("separates flags of mount(2) from data of the file system", () => {
    const { nodev, nosuid, rdonly } = MountFlag;
    expect(parseMountOptions(["ro", "nodev", "size=1024", "mode=1777", "nosuid"])).toEqual({
      flags: nodev | nosuid | rdonly,
      data: "size=1024,mode=1777",
    });
    expect(parseMountOptions(["trans=virtio,version=9p2000.L,nodev"])).toEqual({
      flags: nodev,
      data: "trans=virtio,version=9p2000.L",
    });
    expect(parseMountOptions(["rw", "defaults", "rbind"])).toEqual({ flags: MountFlag.bind | MountFlag.rec, data: "" });
    expect(parseMountOptions(["toString"])).toEqual({ flags: 0, data: "toString" });
  });
});
