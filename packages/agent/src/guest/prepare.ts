import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { boundGroupsBelow } from "./cgroup.ts";

const CONTROLLERS: ReadonlySet<string> = new Set("cpuset cpu io memory hugetlb pids rdma misc".split(" "));

/** The kernel brings plugged memory online as it finds it: a call that asks for it could come too early. */
const ONLINE_POLICY = "/sys/devices/system/memory/auto_online_blocks";

/**
 * What bounds open files in all of the guest: as on hosts with systemd it is memory alone, which a container's limit counts.
 * A container may have any limit of its own that its engine has on the host.
 */
const OPEN_FILES: Readonly<Record<string, string>> = { nr_open: "2147483584", "file-max": "9223372036854775807" };

/** What the guest needs before the first container: the parent of all container cgroups, with its controllers. */
export function prepareGuest(): void {
  process.umask(0o022);
  mkdirSync("/run/kata-containers", { recursive: true });
  if (existsSync(ONLINE_POLICY)) writeFileSync(ONLINE_POLICY, "online");
  for (const [name, value] of Object.entries(OPEN_FILES)) writeFileSync(`/proc/sys/fs/${name}`, value);
  for (const directory of ["/sys/fs/cgroup", "/sys/fs/cgroup/kata"]) {
    mkdirSync(directory, { recursive: true });
    enableControllers(directory);
  }
  boundGroupsBelow("/sys/fs/cgroup/kata");
}

// Those that this kernel has, at once: each change makes it wait for all of its processors. The runtime complains where
// one is asked for that is missing.
function enableControllers(directory: string): void {
  const there = readFileSync(`${directory}/cgroup.controllers`, "latin1").trim().split(" ");
  const wanted = there.filter((controller) => CONTROLLERS.has(controller)).map((controller) => `+${controller}`);
  writeFileSync(`${directory}/cgroup.subtree_control`, wanted.join(" "));
}
