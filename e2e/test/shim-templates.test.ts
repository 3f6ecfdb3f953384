import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessIdentity } from "@kata-ts/linux";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { Containerd } from "../harness/engines/containerd.ts";
import { expectNoShims } from "../harness/engines/no-shims.ts";
import { ourProcesses } from "../harness/engines/shim-process.ts";
import { goneProcess, killProcess, ShimTask } from "../harness/faults/shim-task.ts";
import { cacheSettled } from "../harness/leaks.ts";
import { RUNTIME, VM_ROOT } from "../harness/paths.ts";

const IDLE = ["sleep", "1000"];
/** What no two guests may have in common, although one memory is the beginning of both. */
const SECRETS = ["sh", "-c", "cat /proc/sys/kernel/random/boot_id; od -An -tx1 -N16 /dev/urandom"];

describe("containerd-shim-kata-v2 with VMs that are not booted for it", () => {
  let containerd: Containerd;
  let serial = 0;

  beforeAll(async () => {
    containerd = await Containerd.start();
  });

  afterAll(async () => {
    await containerd[Symbol.asyncDispose]();
  });

  // Cached VMs disturb no test.
  expectCleanHost();
  expectNoShims();

  /** A configuration whose templates, and cached VMs, are there, until the end of the test. */
  async function factory(settings: string): Promise<AsyncDisposable & { readonly file: string }> {
    const templates = containerd.files(`templates-${String(serial++)}`);
    const toml = `[factory]\nenable_template = true\ntemplate_path = "${templates}"\n${settings}`;
    const file = containerd.file(`factory-${String(serial)}.toml`, toml);
    await tell(file, "init");
    return {
      file,
      [Symbol.asyncDispose]: async () => {
        await cacheSettled();
        await tell(file, "destroy");
      },
    };
  }

  async function start(configuration: string): Promise<ShimTask> {
    const task = new ShimTask(`factory-${String(serial++)}`, containerd, configuration);
    const run = await task.run(...IDLE);
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    return task;
  }

  async function remove(task: ShimTask): Promise<void> {
    await task.task("kill", "--signal", "SIGKILL");
    await task.until("STOPPED");
    await task.task("delete");
    await containerd.ok("container", "delete", task.id);
  }

  it("gives containers clones of a template, which share no secret", async () => {
    await using templates = await factory("");
    const tasks = [await start(templates.file), await start(templates.file)];
    const drawn: string[] = [];
    for (const task of tasks) {
      expect(readFileSync(`/proc/${String(task.qemu.pid)}/cmdline`, "latin1")).toContain("\0-incoming\0");
      const { stdout, exitCode } = await task.exec("draw", ...SECRETS);
      expect(exitCode).toBe(0);
      drawn.push(...stdout.split("\n"));
    }
    expect(new Set(drawn).size).toBe(4);
    for (const task of tasks) await remove(task);
  });

  it("takes a VM that waits, with the process that it belongs to", async () => {
    await using cache = await factory("vm_cache_number = 1\n");
    const before = waiting();
    expect(before).toHaveLength(1);
    const task = await start(cache.file);
    const { qemu } = task;
    expect(before).toEqual([qemu]);
    expect((await task.exec("e", "sh", "-c", "echo out; exit 8")).exitCode).toBe(8);
    expect(ourProcesses()).toEqual(expect.arrayContaining(["containerd-shim-kata-v2", "kata-proxy"]));
    await remove(task);
    await goneProcess(qemu);
  });

  it("that is killed leaves nothing of a VM that had waited, once containerd has called it to delete", async () => {
    await using cache = await factory("vm_cache_number = 1\n");
    const task = await start(cache.file);
    const { qemu } = task;
    using events = await containerd.events();
    await killProcess(task.shim);
    expect(await events.until(new RegExp(`/tasks/exit .*${task.id}`))).toContain('"exit_status":137');
    await goneProcess(qemu);
    expect(existsSync(task.record)).toBe(false);
    await task.task("delete");
    await containerd.ok("container", "delete", task.id);
  });
});

async function tell(configuration: string, what: string): Promise<void> {
  const { exitCode, stderr } = await runCommand(RUNTIME, ["--config", configuration, "factory", what]);
  if (exitCode !== 0) throw new Error(`factory ${what}: ${stderr}`);
}

/** The monitors of VMs that wait in a cache. */
function waiting(): ProcessIdentity[] {
  const directories = readdirSync(VM_ROOT).map((name) => join(VM_ROOT, name));
  const cached = directories.filter((path) => existsSync(join(path, "cached.json")));
  return cached.map((path) => {
    const { vmm } = JSON.parse(readFileSync(join(path, "processes.json"), "utf8")) as { vmm: ProcessIdentity };
    return vmm;
  });
}
