// Runs where the kernel has cgroup v2 alone: in a container, as root of its guest. Makes cgroups for a process as the
// runtime does for a VM's, changes their limits and gives them back. Prints one line of JSON.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { HostCgroups, type HostLimits } from "@kata-ts/virtcontainers";

const ROOT = "/sys/fs/cgroup";
const MIB = 1024 ** 2;
const LIMITS = { memoryBytes: 256 * MIB, cpuShares: 512, cpuTime: { quota: 250_000, period: 100_000 }, tasks: 99 };

function read(directory: string, name: string): string {
  return readFileSync(join(directory, name), "latin1").trim();
}

function moveTo(cgroup: string): void {
  mkdirSync(join(ROOT, cgroup), { recursive: true });
  writeFileSync(join(ROOT, cgroup, "cgroup.procs"), String(process.pid));
}

/** One container's life in the cgroups of its host. */
async function live(path: string | undefined, limits: HostLimits): Promise<object> {
  const warnings: string[] = [];
  const cgroups = new HostCgroups((message) => warnings.push(message));
  const cgroup = cgroups.open(path, "web", limits);
  cgroup.make();
  const child = spawn("sleep", ["1000"], { stdio: "ignore" });
  await once(child, "spawn");
  const ended = once(child, "exit");
  await cgroup.begin(child.pid ?? 0);
  const [directory = ""] = cgroup.place.directories;
  const files = ["memory.max", "cpu.weight", "cpu.max", "pids.max"].filter((name) => existsSync(join(directory, name)));
  const applied = Object.fromEntries(files.map((name) => [name, read(directory, name)]));
  const membership = readFileSync(`/proc/${String(child.pid)}/cgroup`, "latin1").trim();
  await cgroups.update(cgroup.place, { memoryBytes: -1 });
  const unlimited = existsSync(join(directory, "memory.max")) ? read(directory, "memory.max") : "";
  // Another program freezes it; a process that is killed ends all the same.
  writeFileSync(join(directory, "cgroup.freeze"), "1");
  cgroups.thaw(cgroup.place);
  const frozen = read(directory, "cgroup.freeze");
  child.kill("SIGKILL");
  await cgroups.remove(cgroup.place);
  await ended;
  const left = [directory, dirname(directory)].filter((made) => existsSync(made));
  return { directory, applied, membership, unlimited, frozen, left, warnings };
}

/** What the caller's own cgroup is, which stays as it is. */
function own(cgroup: string): object {
  const directory = join(ROOT, cgroup);
  return { type: read(directory, "cgroup.type"), handsDown: read(directory, "cgroup.subtree_control") };
}

// A cgroup with processes of its own hands no controllers down: systemd's services and sessions are such, below slices.
moveTo("user.slice/session.scope");
const named = await live("kubepods-pod1.slice:cri:web", { ...LIMITS, cpus: "0" });
const beside = await live(undefined, LIMITS);
const below = await live("/user.slice/session.scope/inner/web", LIMITS);
process.stdout.write(`${JSON.stringify({ named, beside, below, own: own("user.slice/session.scope") })}\n`);
