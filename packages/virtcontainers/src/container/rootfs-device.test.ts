import { describe, expect, it } from "vitest";
import { findRootfsDevice } from "./rootfs-device.ts";

const MOUNTS = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
50 22 7:3 / /b/rootfs rw,relatime - ext4 /dev/loop3 rw
51 22 253:5 / /x/rootfs rw,relatime shared:4 - xfs /dev/mapper/docker-5 rw,nouuid
52 22 253:6 /rootfs /sub/rootfs rw - ext4 /dev/dm-6 rw
53 22 0:40 / /o/rootfs rw - overlay overlay rw,lowerdir=/l
54 22 0:41 / /t/rootfs rw - tmpfs tmpfs rw
55 22 7:4 / /twice/rootfs rw - ext4 /dev/loop4 rw
56 55 0:42 / /twice/rootfs rw - overlay overlay rw`;

describe("the device of a root file system", () => {
  it.each([
    ["/b/rootfs", { device: "/dev/loop3", fsType: "ext4" }],
    ["/x/rootfs", { device: "/dev/mapper/docker-5", fsType: "xfs" }],
    ["/sub/rootfs", undefined],
    ["/o/rootfs", undefined],
    ["/t/rootfs", undefined],
    ["/twice/rootfs", undefined],
    ["/b/rootfs/below", undefined],
  ])("of %s", (rootfs, wanted) => {
    expect(findRootfsDevice(rootfs, MOUNTS)).toEqual(wanted);
  });
});
