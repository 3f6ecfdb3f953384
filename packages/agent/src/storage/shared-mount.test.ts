import { LinuxError } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { mountShared } from "./shared-mount.ts";

const STORAGE = { driver: "virtio-fs", source: "kataShared", fstype: "virtiofs", options: ["nodev"] };

/** A kernel that answers with these, and then mounts. */
function kernelOf(answers: readonly string[]) {
  const asked: unknown[][] = [];
  const attempt = (...given: unknown[]): void => {
    const errno = answers[asked.push(given) - 1];
    if (errno !== undefined) throw new LinuxError("mount", errno, "kataShared on /mnt");
  };
  return { asked, attempt };
}

describe("a tree of the host's", () => {
  it("is mounted once its device has been probed", async () => {
    const { asked, attempt } = kernelOf(["ENODEV", "EINVAL", "ENOENT"]);
    await mountShared(STORAGE, "/mnt", { attempt });
    expect(asked).toHaveLength(4);
    expect(asked[3]?.slice(0, 3)).toEqual(["kataShared", "/mnt", "virtiofs"]);
  });

  it("that does not come is named", async () => {
    const { attempt } = kernelOf(Array.from({ length: 1000 }, () => "EINVAL"));
    const mounting = mountShared(STORAGE, "/mnt", { attempt, deadlineMs: 20 });
    await expect(mounting).rejects.toThrow('no tree "kataShared" of the host\'s can be mounted after 0.02 s');
  });

  it("that cannot be mounted is not waited for", async () => {
    const { asked, attempt } = kernelOf(["EBUSY"]);
    await expect(mountShared(STORAGE, "/mnt", { attempt })).rejects.toMatchObject({ errno: "EBUSY" });
    expect(asked).toHaveLength(1);
  });
});
