import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runInGuest } from "../harness/guest-program.ts";
import { Kata } from "../harness/kata.ts";
import { IDLE, startMember, startSandbox } from "../harness/pods.ts";

const MIB = 1024 ** 2;

describe("cgroups of the host", () => {
  expectCleanHost();

  it("hold a container's whole VM, in every hierarchy, with room around its limits", async () => {
    await using kata = Kata.configured("[hypervisor.qemu]\ndefault_maxvcpus = 2\n");
    const cgroupsPath = "/kata-e2e-cgroups";
    const sandbox = await startSandbox(kata, (spec) => {
      const resources = { memory: { limit: 128 * MIB }, cpu: { shares: 512, quota: 200_000, period: 100_000 } };
      spec.linux = { ...(spec.linux as object), cgroupsPath: `${cgroupsPath}/sandbox`, resources };
    });
    const member = await startMember(kata, sandbox, IDLE, (spec) => {
      spec.linux = { ...(spec.linux as object), cgroupsPath: `${cgroupsPath}/member` };
    });
    const { vm } = JSON.parse(readFileSync(`${kata.root}/${sandbox}/kata.json`, "utf8")) as {
      vm: { processes: { pid: number }[] };
    };
    const { pid } = await kata.state(sandbox);
    for (const each of [pid, ...vm.processes.map((process) => process.pid)]) {
      expect(ownCgroups(each), `of process ${String(each)}`).toEqual(new Set([`${cgroupsPath}/sandbox`]));
    }
    const pidFile = kata.file("exec.pid", "");
    const exec = ["exec", "--detach", "--pid-file", pidFile, member, "sleep", "1000"];
    await kata.run(exec, { detachedStreams: true });
    expect(ownCgroups(Number(readFileSync(pidFile, "latin1")))).toEqual(new Set([`${cgroupsPath}/member`]));
    expect(ownCgroups((await kata.state(member)).pid)).toEqual(new Set([`${cgroupsPath}/member`]));
    expect(memoryLimit(`${cgroupsPath}/sandbox`)).toBe((128 + 2048 + 512) * MIB);
    // The VM has grown by what was asked for.
    const memory = "awk '/MemTotal/ {print $2}' /proc/meminfo";
    expect(Number(await kata.ok(["exec", member, "sh", "-c", memory]))).toBeGreaterThan(2048 * 1000);
    expect(await kata.ok(["exec", member, "sh", "-c", "cat /sys/devices/system/cpu/online"])).not.toBe("0");
    await kata.ok(["update", "--memory", "256m", sandbox]);
    expect(memoryLimit(`${cgroupsPath}/sandbox`)).toBe((256 + 2048 + 512) * MIB);
    // The VM goes on in the cgroup of a container that is gone.
    await kata.ok(["delete", "--force", sandbox]);
    await kata.ok(["delete", "--force", member]);
    removeParents(cgroupsPath);
  });

  it("may be of version 2: shown in a guest of our own, which has it", async () => {
    await using kata = new Kata();
    const result = await runInGuest(kata, ["cgroup-program.ts"], (spec) => {
      for (const mount of spec.mounts) if (mount.type === "cgroup") mount.options = ["nosuid", "noexec", "nodev"];
    });
    expect(result.stderr).toBe("");
    const path = "/kubepods.slice/kubepods-pod1.slice/cri-web.scope";
    expect(JSON.parse(result.stdout)).toEqual({
      directory: `/sys/fs/cgroup${path}`,
      limits: { memory: String(256 * MIB), weight: "20", cpus: "0" },
      membership: `0::${path}`,
      unlimited: "max",
      left: false,
      warnings: [],
    });
  });
});

/** Paths of a process in all hierarchies of version 1, or in the one of version 2. */
function ownCgroups(pid: number): Set<string> {
  const lines = readFileSync(`/proc/${String(pid)}/cgroup`, "latin1")
    .trim()
    .split("\n");
  const first = lines.filter((line) => !line.startsWith("0::"));
  const used = first.length > 0 ? first : lines;
  return new Set(used.map((line) => line.slice(line.lastIndexOf(":") + 1)));
}

function memoryLimit(path: string): number {
  const files = [`/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`, `/sys/fs/cgroup${path}/memory.max`];
  return Number(readFileSync(files.find((file) => existsSync(file)) ?? "", "latin1"));
}

/** The parent of the containers' cgroups is whoever's named it. */
function removeParents(path: string): void {
  for (const hierarchy of ["", ...readdirSync("/sys/fs/cgroup")]) {
    const directory = join("/sys/fs/cgroup", hierarchy, path);
    if (existsSync(directory)) rmdirSync(directory);
  }
}
