// Runs where the kernel has cgroup v2 alone: in a container, as root of its guest. Makes a cgroup for a process as the
// runtime does for a VM's, changes its limits and gives it back. Prints one line of JSON.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HostCgroups } from "@kata-ts/virtcontainers";

const ROOT = "/sys/fs/cgroup";
const MIB = 1024 ** 2;

// A cgroup with processes of its own hands no controllers down: this one moves out of the way, as systemd's do.
mkdirSync(join(ROOT, "init"));
writeFileSync(join(ROOT, "init", "cgroup.procs"), String(process.pid));

const warnings: string[] = [];
const cgroups = new HostCgroups((message) => warnings.push(message));
const path = "kubepods-pod1.slice:cri:web";
const cgroup = cgroups.open(path, "web", { memoryBytes: 256 * MIB, cpuShares: 512, cpus: "0" });
cgroup.make();
const child = spawn("sleep", ["1000"], { stdio: "ignore" });
await once(child, "spawn");
cgroup.add(child.pid ?? 0);

const [directory = ""] = cgroup.directories;
const file = (name: string): string => readFileSync(join(directory, name), "latin1").trim();
const limits = { memory: file("memory.max"), weight: file("cpu.weight"), cpus: file("cpuset.cpus") };
const membership = readFileSync(`/proc/${String(child.pid)}/cgroup`, "latin1").trim();
cgroups.update(cgroup.directories, { memoryBytes: -1 });
const unlimited = file("memory.max");
const ended = once(child, "exit");
child.kill("SIGKILL");
await cgroups.remove(cgroup.directories);
await ended;
const left = existsSync(directory);
process.stdout.write(`${JSON.stringify({ directory, limits, membership, unlimited, left, warnings })}\n`);
