import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { Containerd } from "../harness/engines/containerd.ts";
import { expectNoShims } from "../harness/engines/no-shims.ts";
import { Pod } from "../harness/engines/pod.ts";
import { savableConfiguration } from "../harness/engines/root/engine-root.ts";
import { ourProcesses, ShimProcess } from "../harness/engines/shim-process.ts";
import { busyboxRootfs } from "../harness/images.ts";
import { CONTAINERD_SHIM, RUNTIME } from "../harness/paths.ts";

const IMAGE = "e2e.test/busybox:latest";
const USING = ["--runtime", "io.containerd.kata.v2"];

let containerd: Containerd;

beforeAll(async () => {
  containerd = await Containerd.start();
});

afterAll(async () => {
  await containerd[Symbol.asyncDispose]();
});

describe("containerd-shim-kata-v2", () => {
  expectCleanHost();
  expectNoShims();

  it("runs a container with its streams and its status", async () => {
    const script = "read line; echo $line; echo to stderr >&2; exit 4";
    const command = ["run", "--rm", ...USING, IMAGE, "streams", "sh", "-c", script];
    const result = await containerd.ctr(command, { input: "to stdin\n" });
    expect([result.stdout, result.stderr]).toEqual(["to stdin", expect.stringContaining("to stderr")]);
    expect(result.exitCode).toBe(4);
  });

  it("is found by its path, too, and mounts what a snapshotter says", async () => {
    const command = [
      "run",
      "--rm",
      "--snapshotter",
      "native",
      "--runtime",
      CONTAINERD_SHIM,
      IMAGE,
      "native",
      "uname",
      "-s",
    ];
    expect(await containerd.ok(...command)).toBe("Linux");
  });

  it("gives a container its terminal", async () => {
    const script = 'until stty size | grep "33 44"; do sleep 0.1; done; read a; echo you said $a';
    const shown = await containerd.inTerminal("run", "--rm", "--tty", ...USING, IMAGE, "terminal", "sh", "-c", script);
    expect(shown).toMatch(/33 44.*you said yes/s);
  });

  it("execs, pauses, resumes, measures, kills and deletes one, with one process on the host", async () => {
    const id = "life";
    await containerd.ok("run", "--detach", ...USING, IMAGE, id, "sh", "-c", SLEEPER);
    const exec = await containerd.ctr([
      "task",
      "exec",
      "--exec-id",
      "e1",
      id,
      "sh",
      "-c",
      `${WHEN_READY}; echo out; exit 8`,
    ]);
    expect([exec.stdout, exec.exitCode]).toEqual(["out", 8]);
    expect(ourProcesses()).toEqual(["containerd-shim-kata-v2", "qemu-system", ...VIRTIOFSD]);
    await containerd.ok("task", "pause", id);
    expect(await containerd.ok("task", "ls")).toMatch(new RegExp(`${id} +\\d+ +PAUSED`));
    await containerd.ok("task", "resume", id);
    expect(await containerd.ok("task", "metrics", id)).toMatch(/memory.usage_in_bytes +\d{5,}/);
    expect(await containerd.ok("task", "ps", id)).toMatch(/PID +INFO\n\d+/);
    const listed = await runCommand(RUNTIME, ["--root", "/run/kata-ts/containerd/k8s.io", "list", "-q"]);
    expect(listed.stdout).toBe(id);
    await containerd.ok("task", "kill", "--signal", "SIGTERM", id);
    while (!(await containerd.ok("task", "ls")).includes("STOPPED"));
    expect((await containerd.ctr(["task", "delete", id])).stderr).toMatch(/exit with non-zero exit code 3/);
    await containerd.ok("container", "delete", id);
  });

  it("runs twenty execs at once", async () => {
    await using _container = await running("many");
    const numbers = Array.from({ length: 20 }, (_, index) => String(index));
    const results = await Promise.all(
      numbers.map((number) => containerd.ctr(["task", "exec", "--exec-id", `e${number}`, "many", "echo", number])),
    );
    expect(results.map(({ stdout, stderr, exitCode }) => [stdout, stderr, exitCode])).toEqual(
      numbers.map((number) => [number, "", 0]),
    );
  });

  it("tells that a container has run out of memory", async () => {
    using events = await containerd.events();
    const fill = "x=a; while :; do x=$x$x; done";
    const command = [
      "run",
      "--rm",
      ...USING,
      "--memory-limit",
      String(32 * 2 ** 20),
      IMAGE,
      "hungry",
      "sh",
      "-c",
      fill,
    ];
    expect((await containerd.ctr(command)).exitCode).not.toBe(0);
    await events.until(/\/tasks\/delete .*hungry/);
    const topics = events.lines
      .filter((line) => line.includes('"hungry"'))
      .flatMap((line) => /\/tasks\/\S+/.exec(line) ?? []);
    expect(topics).toEqual(["/tasks/create", "/tasks/start", "/tasks/oom", "/tasks/exit", "/tasks/delete"]);
  });

  it("that is killed takes its VM with it, and leaves nothing once containerd has called it to delete", async () => {
    await containerd.ok("run", "--detach", ...USING, IMAGE, "killed", "sleep", "1000");
    const waiting = containerd.ctr(["task", "wait", "killed"]);
    using events = await containerd.events();
    process.kill(new ShimProcess(containerd, "killed").pid, "SIGKILL");
    const exit = await events.until(/\/tasks\/exit .*killed/);
    expect(exit).toMatch(/"exit_status":137/);
    await waiting;
    expect(ourProcesses()).toEqual([]);
    await containerd.ctr(["task", "delete", "killed"]);
    await containerd.ok("container", "delete", "killed");
  });

  it("goes on through a restart of containerd, and loses no output", async () => {
    const log = join(containerd.files("logs"), "counter.log");
    rmSync(log, { force: true });
    const script = "i=0; until [ -e /end ]; do echo line $i; i=$((i+1)); sleep 0.02; done; echo last $i; exit 6";
    await containerd.ok(
      "run",
      "--detach",
      "--log-uri",
      `file://${log}`,
      ...USING,
      IMAGE,
      "counter",
      "sh",
      "-c",
      script,
    );
    await containerd.stop();
    await containerd.startAgain();
    expect(await containerd.ok("task", "ls")).toMatch(/counter +\d+ +RUNNING/);
    await containerd.ok("task", "exec", "--exec-id", "end", "counter", "touch", "/end");
    while (!(await containerd.ok("task", "ls")).includes("STOPPED"));
    expect((await containerd.ctr(["task", "delete", "counter"])).stderr).toMatch(/exit with non-zero exit code 6/);
    await containerd.ok("container", "delete", "counter");
    const lines = readFileSync(log, "utf8").trimEnd().split("\n");
    const count = lines.length - 1;
    expect(lines).toEqual([
      ...Array.from({ length: count }, (_, index) => `line ${String(index)}`),
      `last ${String(count)}`,
    ]);
  });

  it("is saved by ctr where its root file system is a block device's, and goes on; another one is refused by name", async () => {
    const config = containerd.file("savable.toml", savableConfiguration());
    const disk = join(containerd.files("."), "saved.ext4");
    await execa("mke2fs", ["-q", "-t", "ext4", "-d", await busyboxRootfs(), disk, "64m"]);
    const rootfs = containerd.files("saved-root");
    const { stdout: device } = await execa("losetup", ["--find", "--show", disk]);
    await containerd.inMounts("mount", device, rootfs);
    try {
      const using = ["--rootfs", "--env", "PATH=/bin", ...USING, "--runtime-config-path", config];
      await containerd.ok("run", "--detach", ...using, rootfs, "saved", "sh", "-c", SLEEPER);
      await containerd.ok("task", "exec", "--exec-id", "r", "saved", "sh", "-c", WHEN_READY);
      using events = await containerd.events();
      const image = await containerd.ok("task", "checkpoint", "saved");
      await events.until(/\/tasks\/checkpointed .*saved/);
      expect(await containerd.ok("images", "ls", "-q")).toContain(image);
      await containerd.ok("images", "remove", "--sync", image);
      expect(await containerd.ok("task", "ls")).toMatch(/saved +\d+ +RUNNING/);
      await containerd.ok("task", "kill", "--signal", "SIGTERM", "saved");
      while (!(await containerd.ok("task", "ls")).includes("STOPPED"));
      expect((await containerd.ctr(["task", "delete", "saved"])).stderr).toMatch(/exit with non-zero exit code 3/);
      await containerd.ok("container", "delete", "saved");
    } finally {
      await execa("losetup", ["--detach", device]);
    }

    await using _container = await running("shared");
    const refused = await containerd.ctr(["task", "checkpoint", "shared"]);
    expect(refused.stderr).toMatch(/are not saved.*shared_fs.*in configuration\.toml/);
    expect((await containerd.ctr(["task", "exec", "--exec-id", "e", "shared", "echo", "alive"])).stdout).toBe("alive");
  });

  it("gives an id to one container, and its socket to ttrpc", async () => {
    await using _container = await running("one");
    const shim = new ShimProcess(containerd, "one");
    const id = Buffer.from("\x0a\x03one");
    await expect(shim.call("Create", id)).rejects.toThrow(/container one already exists/);
    await expect(shim.call("Fly", id)).rejects.toThrow(/is not served/);
    await shim.sendGarbage(Buffer.alloc(64, 0xff));
    const header = Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1, 1, 0]);
    await shim.sendGarbage(header);
    expect((await containerd.ctr(["task", "exec", "--exec-id", "e", "one", "echo", "still there"])).stdout).toBe(
      "still there",
    );
  });

  it("refuses what cannot be, and leaves nothing", async () => {
    const none = await containerd.ctr(["run", "--rm", ...USING, IMAGE, "none", "/no/such/program"]);
    expect(none.stderr).toMatch(/no such file|not found/i);
    const mount = ["--mount", "type=bind,src=/no/such/directory,dst=/data,options=rbind"];
    const bind = await containerd.ctr(["run", "--rm", ...mount, ...USING, IMAGE, "bind", "true"]);
    expect(bind.stderr).toContain("mount source /no/such/directory: ENOENT");
    await containerd.ctr(["container", "delete", "none", "bind"]);
  });
});

describe("containerd's CRI plugin with containerd-shim-kata-v2", () => {
  expectCleanHost();
  expectNoShims();

  it("runs a pod of two containers in one VM, served by one process", async () => {
    await using pod = await Pod.run(containerd, "kata-v2");
    const first = await pod.start({ name: "first", command: ["sleep", "1000"] });
    const script = "echo to stdout; echo to stderr >&2; read line; echo got $line; exit 5";
    const second = await pod.start({ name: "second", command: ["sh", "-c", script], stdin: true });
    expect(ourProcesses()).toEqual(["containerd-shim-kata-v2", "qemu-system", ...VIRTIOFSD]);
    await pod.output(first, "sh", "-c", "echo shared memory > /dev/shm/x");
    expect(await pod.output(second, "cat", "/dev/shm/x")).toBe("shared memory");
    expect(await pod.output(first, "hostname")).toBe("podhost");
    expect((await pod.exec(first, "sh", "-c", "exit 42")).exit_code).toBe(42);
    expect(await pod.address()).toMatch(/^10\.99\./);
    const attached = await pod.stream(
      "Attach",
      { container_id: second, stdin: true, stdout: true, stderr: true },
      "hi\n",
    );
    expect(attached.stdout).toBe("got hi");
    expect(await pod.ended(second)).toBe(5);
    const log = (await pod.log("second")).map((line) => line.split(" ").slice(1).join(" "));
    expect(log.sort()).toEqual(["stderr F to stderr", "stdout F got hi", "stdout F to stdout"]);
    const { stats } = await pod.call<{ stats: { cpu: { usage_core_nano_seconds: { value: number } } } }>(
      "ContainerStats",
      { container_id: first },
    );
    expect(stats.cpu.usage_core_nano_seconds.value).toBeGreaterThan(0);
    await pod.remove(second);
    expect(await pod.output(first, "cat", "/dev/shm/x")).toBe("shared memory");
  });

  it("tells that a container of three has run out of memory, and keeps the others", async () => {
    await using pod = await Pod.run(containerd, "kata-v2");
    const first = await pod.start({ name: "first", command: ["sleep", "1000"] });
    const second = await pod.start({ name: "second", command: ["sleep", "1000"] });
    const hungry = await pod.start({
      name: "hungry",
      command: ["sh", "-c", "x=a; while :; do x=$x$x; done"],
      resources: { memory_limit_in_bytes: 32 * 2 ** 20 },
    });
    expect(await pod.ended(hungry)).toBe(137);
    const { status } = await pod.call<{ status: { reason: string } }>("ContainerStatus", { container_id: hungry });
    expect(status.reason).toBe("OOMKilled");
    for (const id of [first, second]) expect(await pod.output(id, "echo", "alive")).toBe("alive");
    expect(ourProcesses()).toEqual(["containerd-shim-kata-v2", "qemu-system", ...VIRTIOFSD]);
  });
});

/** The file daemon has a process that waits for the one that serves. */
const VIRTIOFSD = ["virtiofsd", "virtiofsd"];
const SLEEPER = "trap 'exit 3' TERM; touch /ready; while :; do sleep 0.1; done";
const WHEN_READY = "until [ -e /ready ]; do sleep 0.1; done";

/** A container that sleeps until it is disposed of. */
async function running(id: string): Promise<AsyncDisposable> {
  await containerd.ok("run", "--detach", ...USING, IMAGE, id, "sleep", "1000");
  return {
    [Symbol.asyncDispose]: async () => {
      await containerd.ok("task", "kill", "--signal", "SIGKILL", id);
      while (!(await containerd.ok("task", "ls")).includes("STOPPED"));
      await containerd.ctr(["task", "delete", id]);
      await containerd.ok("container", "delete", id);
    },
  };
}
