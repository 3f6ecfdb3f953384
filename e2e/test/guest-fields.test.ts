import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";

describe("config.json, what only the guest can be asked", () => {
  expectCleanHost();

  it("has its cgroup v2 and its names applied, and is warned about what cannot be", async () => {
    await using kata = new Kata();
    const script = `
cd /sys/fs/cgroup
for f in memory.max memory.low memory.high cpu.max cpu.weight pids.max; do echo $f: $(cat $f); done
echo domain: $(cat /proc/sys/kernel/domainname)
echo cgroup: $(cat /proc/self/cgroup); echo fs: $(grep -c ' /sys/fs/cgroup cgroup2 ro' /proc/mounts)
`;
    const { path } = await kata.bundle({
      args: ["sh", "-c", script],
      edit: (spec) => {
        spec.domainname = "example.org";
        spec.process.apparmorProfile = "docker-default";
        const linux = spec.linux as { namespaces: { type: string }[] };
        linux.namespaces.push({ type: "time" });
        spec.linux = {
          ...linux,
          timeOffsets: { boottime: { secs: 1_000_000, nanosecs: 0 } },
          intelRdt: { l3CacheSchema: "L3:0=f" },
          resources: {
            memory: { limit: 256 * 2 ** 20, reservation: 64 * 2 ** 20 },
            cpu: { quota: 50_000, period: 100_000, shares: 512 },
            pids: { limit: 77 },
            unified: { "memory.high": String(200 * 2 ** 20) },
          },
        };
      },
    });
    const result = await kata.run(["run", "--bundle", path, "guest"]);
    const told = Object.fromEntries(result.stdout.split("\n").map((line) => line.split(/: ?/, 2))) as Record<
      string,
      string
    >;
    expect(told).toMatchObject({
      "memory.max": String(256 * 2 ** 20),
      "memory.low": String(64 * 2 ** 20),
      "memory.high": String(200 * 2 ** 20),
      "cpu.max": "50000 100000",
      "cpu.weight": "20",
      "pids.max": "77",
      domain: "example.org",
      cgroup: "0",
      fs: "1",
    });
    for (const field of ["process.apparmorProfile", "linux.intelRdt", "linux.timeOffsets"]) {
      expect(result.stderr).toMatch(new RegExp(`level=warning msg=".*${field}.* is not applied: `));
    }
    expect(result.exitCode).toBe(0);
  });

  it("is warned about a profile that the guest does not have once for a container, whatever has it", async () => {
    await using kata = new Kata();
    const id = await kata.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        spec.process.apparmorProfile = "docker-default";
      },
    });
    const warned: boolean[] = [];
    for (const profile of ["docker-default", "another", "another"]) {
      const { exitCode, stderr } = await kata.run(["exec", "--apparmor", profile, id, "true"]);
      expect(exitCode).toBe(0);
      warned.push(stderr.includes(`"${profile}\\" is not applied`));
    }
    expect(warned).toEqual([false, true, false]);
    await kata.ok(["delete", "--force", id]);
  });

  it("has its scheduler, its priority of input and output, and an exec's processors", async () => {
    await using kata = new Kata();
    const id = kata.id();
    const { path } = await kata.bundle({
      args: ["sleep", "1000"],
      edit: (spec) => {
        spec.process.scheduler = { policy: "SCHED_BATCH", nice: 7 };
        spec.process.ioPriority = { class: "IOPRIO_CLASS_IDLE", priority: 0 };
        spec.linux = { ...(spec.linux as object), resources: { cpu: { quota: 200_000, period: 100_000 } } };
      },
    });
    const created = await kata.run(["run", "--detach", "--bundle", path, id], { detachedStreams: true });
    expect(created.exitCode).toBe(0);
    // The first two numbers are the nice value and the policy, of which 3 is SCHED_BATCH.
    const look = "cut -d' ' -f19,41 /proc/1/stat; ionice -p 1; grep Cpus_allowed_list /proc/1/status /proc/self/status";
    const process = { cwd: "/", env: ["PATH=/bin"], args: ["sh", "-c", look], execCPUAffinity: { final: "0" } };
    const file = join(path, "process.json");
    writeFileSync(file, JSON.stringify(process));
    const result = await kata.run(["exec", "--process", file, id]);
    expect(result.stderr).toBe("");
    expect(result.stdout).toMatch(/^7 3\n.*idle.*1\/status:\S+\s0\S*\n\S*self\/status:\S+\s0$/s);
  });

  it("has the limits of cgroup v1 that engines send left out by name, or translated, in create and in update", async () => {
    await using kata = new Kata();
    const ofV1 = {
      memory: { limit: 256 * 2 ** 20, kernel: 2 ** 26, kernelTCP: 2 ** 24, swappiness: 60, disableOOMKiller: true },
      cpu: { shares: 512, realtimeRuntime: 10_000, realtimePeriod: 1_000_000 },
      network: { classID: 7, priorities: [{ name: "eth0", priority: 1 }] },
      blockIO: { leafWeight: 10, weightDevice: [{ major: 8, minor: 0, weight: 300 }] },
    };
    const id = kata.id();
    const { path } = await kata.bundle({
      args: ["sleep", "1000"],
      edit: (spec) => {
        spec.linux = { ...(spec.linux as object), resources: ofV1 };
      },
    });
    const leftOut = ["memory.kernel", "memory.kernelTCP", "memory.swappiness", "memory.disableOOMKiller"];
    leftOut.push("cpu.realtimeRuntime", "network", "blockIO.leafWeight", "blockIO.weightDevice");
    const warned = (log: string): void => {
      for (const field of leftOut) expect(log).toContain(`linux.resources.${field} is not applied: `);
    };
    await kata.create(id, path);
    warned(kata.read(`${id}.log`));
    await kata.ok(["start", id]);
    expect(await kata.ok(["exec", id, "cat", "/sys/fs/cgroup/memory.max"])).toBe(String(256 * 2 ** 20));
    const update = await kata.run(["update", "--resources", "-", id], { input: JSON.stringify(ofV1) });
    expect(update).toMatchObject({ exitCode: 0 });
    warned(update.stderr);
    await kata.ok(["delete", "--force", id]);
  });
});
