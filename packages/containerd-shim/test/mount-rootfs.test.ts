import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RpcStatus } from "@kata-ts/agent-protocol/ttrpc";
import { describe, expect, it } from "vitest";
import { mountRootfs, unmountRootfs } from "../src/rootfs/mount-rootfs.ts";
import { ServedDirectory } from "./served-directory.ts";

describe("a root file system", () => {
  it("is mounted and unmounted while the loop serves others, here the disk that it is on", async () => {
    await using disk = new ServedDirectory();
    const rootfs = join(disk.path, "rootfs");
    await mountRootfs([tmpfs("one"), tmpfs("over it")], disk.path);
    expect(mountsOn(rootfs)).toBe(2);
    await unmountRootfs(disk.path);
    expect(mountsOn(rootfs)).toBe(0);
    await unmountRootfs(disk.path);
  });

  it("of which one mount fails has none that stays", async () => {
    await using disk = new ServedDirectory();
    const mounted = mountRootfs([tmpfs("one"), { type: "nosuchtype", source: "x", options: [] }], disk.path);
    await expect(mounted).rejects.toMatchObject({
      status: RpcStatus.FailedPrecondition,
      message: expect.stringMatching(/cannot be mounted \(nosuchtype x on .*\): ENODEV/) as string,
    });
    expect(mountsOn(join(disk.path, "rootfs"))).toBe(0);
  });
});

function tmpfs(source: string) {
  return { type: "tmpfs", source, options: ["mode=755"] };
}

function mountsOn(path: string): number {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.split(" ")[4] === path).length;
}
