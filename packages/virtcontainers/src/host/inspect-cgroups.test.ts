import { describe, expect, it } from "vitest";
import { inspectCgroups } from "./inspect-cgroups.ts";

const V2 = { version: 2, mountPoint: "/sys/fs/cgroup", controllers: [], own: "/" } as const;
const UNIFIED = { ...V2, mountPoint: "/sys/fs/cgroup/unified" };
const v1 = (...controllers: string[]): Parameters<typeof inspectCgroups>[0] =>
  controllers.map((name) => ({ version: 1, mountPoint: `/sys/fs/cgroup/${name}`, controllers: [name], own: "/" }));

describe("the host's cgroups", () => {
  it("are described by version, place and manager", () => {
    const all = v1("cpu", "memory", "pids") ?? [];
    expect(inspectCgroups([V2], true)).toMatchObject({ found: "v2 at /sys/fs/cgroup, managed by systemd" });
    expect(inspectCgroups(all, false)).toMatchObject({ found: "v1 at /sys/fs/cgroup, not managed by systemd" });
    const hybrid = "v1, with v2 beside it (hybrid) at /sys/fs/cgroup, managed by systemd";
    expect(inspectCgroups([...all, UNIFIED], true)).toMatchObject({ found: hybrid });
    for (const found of [[V2], all]) expect(inspectCgroups(found, true).problem).toBeUndefined();
  });

  it("are no obstacle where they are missing, but that is said", () => {
    expect(inspectCgroups([], false)).toMatchObject({
      optional: true,
      problem: expect.stringContaining("mounted") as string,
    });
    expect(inspectCgroups(v1("cpu", "pids"), true)).toMatchObject({
      optional: true,
      problem: "without memory: VMs are not held to those limits",
    });
  });
});
