import { mkdirSync, writeFileSync } from "node:fs";

const CONTROLLERS = "+cpuset +cpu +io +memory +hugetlb +pids +rdma +misc".split(" ");

/** What the guest needs before the first container: the parent of all container cgroups, with its controllers. */
export function prepareGuest(): void {
  process.umask(0o022);
  mkdirSync("/run/kata-containers", { recursive: true });
  for (const directory of ["/sys/fs/cgroup", "/sys/fs/cgroup/kata"]) {
    mkdirSync(directory, { recursive: true });
    for (const controller of CONTROLLERS) enable(directory, controller);
  }
}

// A kernel may lack some of them; the runtime complains where one is asked for.
function enable(directory: string, controller: string): void {
  try {
    writeFileSync(`${directory}/cgroup.subtree_control`, controller);
  } catch {
    return;
  }
}
