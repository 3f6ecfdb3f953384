import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive, type ProcessIdentity, processTree } from "@kata-ts/linux";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { Call } from "../harness/faults/call.ts";
import { pythonRootfs } from "../harness/images.ts";
import { Kata } from "../harness/kata.ts";
import { cacheSettled } from "../harness/leaks.ts";
import { TestNetwork } from "../harness/network.ts";
import { inNamespace } from "../harness/networked.ts";
import { RUNTIME, SHARE, VM_ROOT } from "../harness/paths.ts";
import { IDLE, startMember, startSandbox } from "../harness/pods.ts";

const SLEEP = { args: ["sleep", "1000"] };

interface Processes {
  readonly processes: readonly [ProcessIdentity, ...ProcessIdentity[]];
  readonly vmm: ProcessIdentity;
}

let directory = "";

/** A runtime with the templates of this file, and so many VMs that wait. */
async function caching(size = 1): Promise<Kata> {
  const factory = `enable_template = true\ntemplate_path = "${directory}/templates"\nvm_cache_number = ${String(size)}\n`;
  const kata = Kata.configured(`[factory]\n${factory}`);
  await kata.ok(["factory", "init"]);
  return kata;
}

function waiting(): string[] {
  const directories = readdirSync(VM_ROOT).map((name) => join(VM_ROOT, name));
  return directories.filter((path) => existsSync(join(path, "cached.json")));
}

/** The next VM that is taken. */
function nextOne(): string {
  const [vm = ""] = waiting();
  expect(vm).not.toBe("");
  return vm;
}

function processesOf(directory: string): Processes {
  return JSON.parse(readFileSync(join(directory, "processes.json"), "utf8")) as Processes;
}

function namespaceOf({ pid }: ProcessIdentity): string {
  return readlinkSync(`/proc/${String(pid)}/ns/net`);
}

async function remove(kata: Kata, ...ids: string[]): Promise<void> {
  for (const id of ids) await kata.ok(["delete", "--force", id]);
}

describe("the cache of VMs", () => {
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-cache-"));
  });

  // Cached VMs disturb no test, and wait for the next one.
  expectCleanHost();

  afterAll(async () => {
    {
      await using kata = await caching();
      expect(await kata.ok(["factory", "destroy"])).toBe("vm factory destroyed");
    }
    rmSync(directory, { recursive: true });
    expect(waiting()).toEqual([]);
  });

  it("gives a VM that does what others do: limits, a real image, much output, pause, a status", async () => {
    await using kata = await caching();
    const vm = nextOne();
    const id = await kata.start({
      ...SLEEP,
      image: await pythonRootfs(),
      edit: (spec) => {
        spec.linux = { ...(spec.linux as object), resources: { memory: { limit: 3 * 2 ** 30 } } };
      },
    });
    expect(kata.vmDirectory(id)).toBe(vm);
    const python = "import os, time; print(os.sysconf('SC_PHYS_PAGES') * 4 // 2 ** 20 >= 4, int(time.time()))";
    const [grown, seconds] = (await kata.ok(["exec", id, "python3", "-c", python])).split(" ");
    expect(grown).toBe("True");
    expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(5);
    const large = 'import sys; sys.stdout.buffer.write(b"x" * (8 << 20))';
    expect((await kata.ok(["exec", id, "python3", "-c", large])).length).toBe(8 << 20);
    expect((await kata.run(["exec", id, "sh", "-c", "exit 7"])).exitCode).toBe(7);
    await kata.ok(["pause", id]);
    await kata.ok(["resume", id]);
    await kata.ok(["kill", id, "KILL"]);
    await kata.until(id, "stopped");
    await kata.ok(["delete", id]);
    expect(existsSync(vm)).toBe(false);
  });

  it("gives a VM that moves into its pod's network and cgroup, with all its processes", async () => {
    await using network = new TestNetwork();
    await using kata = await caching();
    const namespace = await network.namespace();
    const vm = nextOne();
    const rules = async (): Promise<string> => (await network.run(namespace, "iptables", "-t", "nat", "-S")).stdout;
    const sandbox = await startSandbox(kata, (spec) => {
      inNamespace(spec, namespace);
      (spec.linux as { cgroupsPath?: string }).cgroupsPath = `/kata-e2e-${String(process.pid)}`;
    });
    expect(kata.vmDirectory(sandbox)).toBe(vm);
    const { processes, vmm } = processesOf(vm);
    const { pid } = await kata.state(sandbox);
    expect(namespaceOf(processes[0])).toBe(readlinkSync(`/proc/${String(pid)}/ns/net`));
    expect(namespaceOf(vmm)).not.toBe(readlinkSync("/proc/self/ns/net"));
    const places = processTree(processes[0].pid).map((each) => readFileSync(`/proc/${String(each)}/cgroup`, "latin1"));
    expect(places.length).toBeGreaterThan(3);
    expect(new Set(places).size).toBe(1);
    expect(places[0]).toContain(`/kata-e2e-${String(process.pid)}`);
    // kata-proxy lives where it can connect the two loopbacks.
    while (!(await rules()).includes("kata-ts"));
    const server = await startMember(kata, sandbox, ["httpd", "-f", "-p", "127.0.0.1:8000", "-h", "/etc"]);
    const get = () => network.run(namespace, "busybox", "wget", "-qO-", "http://127.0.0.1:8000/passwd");
    while ((await get()).exitCode !== 0);
    await remove(kata, server, sandbox);
    expect(await rules()).not.toContain("kata-ts");
  });

  it("gives out no VM that died while it waited, and replaces it", async () => {
    await using kata = await caching();
    const dead = nextOne();
    const { vmm } = processesOf(dead);
    process.kill(vmm.pid, "SIGKILL");
    while (processesOf(dead).processes.some(isAlive)) await new Promise(setImmediate);
    const id = await kata.start(SLEEP);
    expect(kata.vmDirectory(id)).not.toBe(dead);
    await cacheSettled();
    expect(existsSync(dead)).toBe(false);
    expect(waiting().length).toBeGreaterThan(0);
    await remove(kata, id);
  });

  it("does without a VM whose kata-proxy hangs, and ends it", async () => {
    await using kata = await caching();
    const hung = nextOne();
    process.kill(processesOf(hung).processes[0].pid, "SIGSTOP");
    const id = await kata.start(SLEEP);
    expect(kata.vmDirectory(id)).not.toBe(hung);
    expect(kata.read(`${id}.log`)).toMatch(/the cached VM in .* could not be taken: .*kata-proxy does not answer/);
    expect(existsSync(hung)).toBe(false);
    await remove(kata, id);
  });

  it("has its VM end with a create that is killed when it has taken it", async () => {
    await using kata = await caching();
    const vm = nextOne();
    const { processes } = processesOf(vm);
    const id = kata.id();
    const { path } = await kata.bundle(SLEEP);
    {
      await using call = new Call(kata, ["create", "--bundle", path, id]);
      // The guest has answered before: this step comes at once after the one at which the VM is taken.
      await call.holdAt("agent-up");
      expect(waiting()).toEqual([]);
      call.child.kill("SIGKILL");
      await call.ended;
    }
    while (processes.some(isAlive)) await new Promise(setImmediate);
    await remove(kata, id);
    expect(existsSync(vm)).toBe(false);
    // Nobody came to fill it.
    expect(await kata.ok(["factory", "refill"])).toMatch(/vm cache: 1 of 1 wait$/);
  });

  it("works without templates, is no garbage, and needs its programs, until its files are others or it is ended", async () => {
    const kernel = join(directory, "vmlinux");
    copyFileSync(join(SHARE, "vmlinux"), kernel);
    const factory = `template_path = "${directory}/other"\nvm_cache_number = 1\n`;
    // A kernel of its own would be tried under KVM first, twice: nearly a minute each on a host where guests hang under it.
    await using kata = Kata.configured(`[hypervisor.qemu]\naccel = "tcg"\nkernel = "${kernel}"\n[factory]\n${factory}`);
    const others = waiting();
    const ours = (): string[] => waiting().filter((path) => !others.includes(path));
    await kata.ok(["factory", "init"]);
    const [vm = ""] = ours();
    expect(await kata.ok(["gc"])).toBe("");
    const refused = await runCommand(RUNTIME, ["uninstall", join(kata.directory, "none")]);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("factory destroy") as string });

    const sandbox = await startSandbox(kata);
    expect(kata.vmDirectory(sandbox)).toBe(vm);
    const member = await startMember(kata, sandbox, IDLE);
    expect(await kata.ok(["exec", member, "hostname"])).toBe("podhost");
    await remove(kata, member, sandbox);

    await cacheSettled();
    const [next = ""] = ours();
    utimesSync(kernel, new Date(), new Date());
    expect(await kata.ok(["gc"])).toBe(`removed cached vm ${next}: no sandbox can use it`);
    expect(await kata.ok(["factory", "destroy"])).toBe("vm factory destroyed");
    // It was ended: no call fills it any more.
    await remove(kata, await kata.start(SLEEP));
    await cacheSettled();
    expect(waiting()).toEqual(others);
  });

  it("gives each container one of its own, with nothing in common, and fills up again", async () => {
    await using kata = await caching(2);
    expect(await kata.ok(["factory", "status"])).toMatch(/vm cache: 2 of 2 wait$/);
    const before = waiting();
    const ids = await Promise.all([kata.start(SLEEP), kata.start(SLEEP), kata.start(SLEEP)]);
    const directories = ids.map((id) => kata.vmDirectory(id));
    expect(before.every((directory) => directories.includes(directory))).toBe(true);
    expect(new Set(directories).size).toBe(3);
    const pool = "cat /proc/sys/kernel/random/boot_id /proc/sys/kernel/random/uuid; od -An -tx1 -N16 /dev/urandom";
    const secrets = await Promise.all(ids.map((id) => kata.ok(["exec", id, "sh", "-c", pool])));
    expect(new Set(secrets.flatMap((drawn) => drawn.split("\n"))).size).toBe(9);
    await cacheSettled();
    expect(await kata.ok(["factory", "status"])).toMatch(/vm cache: 2 of 2 wait$/);
    await remove(kata, ...ids);
  });
});
