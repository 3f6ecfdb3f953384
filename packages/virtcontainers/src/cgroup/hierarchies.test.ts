import { describe, expect, it } from "vitest";
import { directoryOf, hierarchies } from "./hierarchies.ts";

const V1 = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:3 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 31 0:32 / /mnt/again rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw`;
const V1_OWN = "4:memory:/jobs/7\n2:cpu,cpuacct:/\n1:name=systemd:/user.slice\n0::/";
const V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";

describe("hierarchies of cgroups", () => {
  it("are all of v1 where there are any, each once, with the place of the caller", () => {
    expect(hierarchies(V1, V1_OWN)).toEqual([
      { version: 1, mountPoint: "/sys/fs/cgroup/cpu,cpuacct", controllers: ["cpu", "cpuacct"], own: "/" },
      { version: 1, mountPoint: "/sys/fs/cgroup/memory", controllers: ["memory"], own: "/jobs/7" },
      { version: 1, mountPoint: "/sys/fs/cgroup/systemd", controllers: ["name=systemd"], own: "/user.slice" },
    ]);
  });

  it("are one of v2", () => {
    expect(hierarchies(V2, "0::/system.slice/x.service")).toEqual([
      { version: 2, mountPoint: "/sys/fs/cgroup", controllers: [], own: "/system.slice/x.service" },
    ]);
  });

  it("may be seen in part only, as in a container", () => {
    const [seen] = hierarchies("30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw", "0::/docker/abc/inner");
    expect(seen?.own).toBe("/inner");
  });
});

describe("a container's cgroup", () => {
  const [memory] = hierarchies(V1, V1_OWN).filter(({ controllers }) => controllers.includes("memory"));
  const place = (path: string | undefined): string => (memory === undefined ? "" : directoryOf(memory, path, "web"));

  it.each([
    ["/docker/abc", "/sys/fs/cgroup/memory/docker/abc"],
    ["pods/abc", "/sys/fs/cgroup/memory/jobs/7/pods/abc"],
    [undefined, "/sys/fs/cgroup/memory/jobs/7/web"],
    ["", "/sys/fs/cgroup/memory/jobs/7/web"],
    ["/../../../etc", "/sys/fs/cgroup/memory/etc"],
    ["../../../../etc", "/sys/fs/cgroup/memory/jobs/7/etc"],
    ["system.slice:docker:abc", "/sys/fs/cgroup/memory/system.slice/docker-abc.scope"],
    [":docker:abc", "/sys/fs/cgroup/memory/system.slice/docker-abc.scope"],
    [
      "kubepods-burstable-pod1.slice:cri:abc",
      "/sys/fs/cgroup/memory/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-abc.scope",
    ],
    ["-.slice::abc", "/sys/fs/cgroup/memory/abc.scope"],
  ])("is found by cgroupsPath %s", (path, directory) => {
    expect(place(path)).toBe(directory);
  });
});
