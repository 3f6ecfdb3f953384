import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
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
      const resources = {
        memory: { limit: 128 * MIB },
        cpu: { shares: 512, quota: 200_000, period: 100_000 },
        pids: { limit: 10 },
      };
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
    expect(cgroupFile(`${cgroupsPath}/sandbox`, "pids", "pids.max")).toBe(String(10 * 16 + 1024));
    // Two processors of the quota, one for the guest, one for the VM's helpers.
    expect(cpuQuota(`${cgroupsPath}/sandbox`)).toBe("400000");
    // The VM has grown by what was asked for.
    const memory = "awk '/MemTotal/ {print $2}' /proc/meminfo";
    expect(Number(await kata.ok(["exec", member, "sh", "-c", memory]))).toBeGreaterThan(2048 * 1000);
    expect(await kata.ok(["exec", member, "sh", "-c", "cat /sys/devices/system/cpu/online"])).not.toBe("0");
    await kata.ok(["update", "--memory", "256m", sandbox]);
    expect(memoryLimit(`${cgroupsPath}/sandbox`)).toBe((256 + 2048 + 512) * MIB);
    // The VM goes on in the cgroup of a container that is gone.
    await kata.ok(["delete", "--force", sandbox]);
    await kata.ok(["delete", "--force", member]);
    // The parent that was made for them has gone with the last of them.
    expect(directoriesNamed("kata-e2e-cgroups")).toEqual([]);
  });

  it("that run out of memory end the VM, with that reason", async () => {
    await using kata = new Kata();
    const cgroupsPath = `/kata-e2e-oom-${String(process.pid)}`;
    const edit = (spec: EditableSpec): void => {
      spec.linux = { ...(spec.linux as object), cgroupsPath };
    };
    const id = await kata.start({ args: ["sleep", "1000"], edit });
    const events = kata.run(["events", id]);
    limitMemory(cgroupsPath, 48 * MIB);
    const fill = "dd if=/dev/zero of=/dev/shm/fill bs=1M count=60; cat /dev/zero | head -c 500000000 | tail";
    expect((await kata.run(["exec", id, "sh", "-c", fill])).exitCode).not.toBe(0);
    await kata.until(id, "stopped");
    expect((await events).stdout.split("\n").at(-1)).toBe(JSON.stringify({ type: "oom", id }));
    const deleted = await kata.run(["delete", id]);
    expect(deleted.stderr).toContain(
      "the host's kernel has ended the VM: the limit of memory of its cgroup was reached",
    );
    expect(deleted.exitCode).toBe(0);
  });

  it("that another program has frozen do not keep a container from being ended", async () => {
    await using kata = new Kata();
    const cgroupsPath = `/kata-e2e-frozen-${String(process.pid)}`;
    const edit = (spec: EditableSpec): void => {
      spec.linux = { ...(spec.linux as object), cgroupsPath };
    };
    const deleted = await kata.start({ args: ["sleep", "1000"], edit });
    freezeCgroup(cgroupsPath);
    await kata.ok(["delete", "--force", deleted]);
    const killed = await kata.start({ args: ["sleep", "1000"], edit });
    freezeCgroup(cgroupsPath);
    await kata.ok(["kill", killed, "KILL"]);
    await kata.until(killed, "stopped");
    await kata.ok(["delete", killed]);
    expect(directoriesNamed(cgroupsPath)).toEqual([]);
  });

  it("may be of version 2: shown in a guest of our own, which has it", async () => {
    await using kata = new Kata();
    const result = await runInGuest(kata, ["cgroup-program.ts"], (spec) => {
      for (const mount of spec.mounts) if (mount.type === "cgroup") mount.options = ["nosuid", "noexec", "nodev"];
      // As a host has it: what is made above cgroups is noted there.
      spec.mounts.push({ destination: "/run", type: "tmpfs", source: "tmpfs", options: ["mode=755"] });
    });
    expect(result.stderr).toBe("");
    const applied = {
      "memory.max": String(256 * MIB),
      "cpu.weight": "20",
      "cpu.max": "250000 100000",
      "pids.max": "99",
    };
    const lived = (path: string): object => ({
      directory: `/sys/fs/cgroup${path}`,
      applied,
      membership: `0::${path}`,
      unlimited: "max",
      frozen: "0",
      left: [],
      warnings: [],
    });
    const below = "/user.slice/session.scope/inner/web";
    const unlimited = "not limited on the host: memory, CPU weight, CPU time, processes; the container's cgroup has no";
    expect(JSON.parse(result.stdout)).toEqual({
      named: lived("/kubepods.slice/kubepods-pod1.slice/cri-web.scope"),
      // As runc: below the parent of the caller's cgroup, which is not ours.
      beside: { ...lived("/user.slice/web"), left: ["/sys/fs/cgroup/user.slice"] },
      // A cgroup with processes has no controllers to hand down, and is left as it is.
      below: {
        ...lived(below),
        applied: {},
        unlimited: "",
        warnings: [
          expect.stringContaining(unlimited) as string,
          expect.stringContaining("not limited on the host: memory") as string,
        ],
      },
      own: { type: "domain", handsDown: "" },
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

/** To what it uses now and a little more. */
function limitMemory(path: string, more: number): void {
  const v1 = `/sys/fs/cgroup/memory${path}`;
  const isV1 = existsSync(v1);
  const usage = Number(cgroupFile(path, "memory", isV1 ? "memory.usage_in_bytes" : "memory.current"));
  const file = isV1 ? `${v1}/memory.limit_in_bytes` : `/sys/fs/cgroup${path}/memory.max`;
  writeFileSync(file, String(usage + more));
}

function freezeCgroup(path: string): void {
  const v1 = `/sys/fs/cgroup/freezer${path}/freezer.state`;
  if (existsSync(v1)) writeFileSync(v1, "FROZEN");
  else writeFileSync(`/sys/fs/cgroup${path}/cgroup.freeze`, "1");
}

function memoryLimit(path: string): number {
  const files = [`/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`, `/sys/fs/cgroup${path}/memory.max`];
  return Number(readFileSync(files.find((file) => existsSync(file)) ?? "", "latin1"));
}

function cpuQuota(path: string): string {
  const isV1 = existsSync(`/sys/fs/cgroup/cpu${path}`);
  return isV1 ? cgroupFile(path, "cpu", "cpu.cfs_quota_us") : (cgroupFile(path, "", "cpu.max").split(" ")[0] ?? "");
}

/** One that v1 and v2 have. */
function cgroupFile(path: string, controller: string, name: string): string {
  const files = [`/sys/fs/cgroup/${controller}${path}/${name}`, `/sys/fs/cgroup${path}/${name}`];
  return readFileSync(files.find((file) => existsSync(file)) ?? "", "latin1").trim();
}

/** At the top of each hierarchy. */
function directoriesNamed(name: string): string[] {
  const hierarchies = ["", ...readdirSync("/sys/fs/cgroup")];
  return hierarchies.map((hierarchy) => join("/sys/fs/cgroup", hierarchy, name)).filter((path) => existsSync(path));
}
