import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive } from "@kata-ts/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KataError } from "../errors.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { type FakePorts, fakePorts } from "../testing/fake-ports.ts";
import { Sandbox } from "./sandbox.ts";
import type { ContainerOptions } from "./sandbox-options.ts";

const DEAD = { pid: 2 ** 22 - 1, startTime: 1 };

let rootfs = "";
let agent: FakeAgent;
let ports: FakePorts;

beforeEach(() => {
  rootfs = mkdtempSync(join(tmpdir(), "detach-"));
  agent = new FakeAgent();
  ports = fakePorts(() => agent.connect());
});

afterEach(() => {
  rmSync(rootfs, { recursive: true });
});

const program = (id: string): ContainerOptions => ({ rootfs, id, args: ["sleep", "1000"] });

async function states(): Promise<string[]> {
  return (await Sandbox.list({}, ports)).map(({ id, state }) => `${id} ${state}`);
}

/** A sandbox that runs a container, and has been let go of. */
async function detached(id: string): Promise<void> {
  await using sandbox = await Sandbox.create({ id, detachable: true, idleWarningMs: 0 }, ports);
  await (await sandbox.createContainer(program("web"))).start();
  await sandbox.detach();
}

describe("a sandbox that is detached", () => {
  it("runs on, is found so, and is another program's that opens it, with its containers", async () => {
    await detached("one");
    expect(await states()).toEqual(["one detached"]);
    await using opened = await Sandbox.open("one", {}, ports);
    expect(await states()).toEqual(["one running"]);
    expect(opened.containers).toEqual(["web"]);
    const [web] = opened.restored;
    expect(web?.id).toBe("web");
    await web?.process.kill("SIGTERM");
    expect(await web?.process.wait()).toBe(143);
    await web?.remove();
    expect(opened.containers).toEqual([]);
    await opened.close();
    expect(await states()).toEqual([]);
  });

  it("is let go of again by the one that has opened it", async () => {
    await detached("one");
    const second = await Sandbox.open("one", {}, ports);
    await second.detach();
    await second.close();
    expect(await states()).toEqual(["one detached"]);
    await using third = await Sandbox.open("one", {}, ports);
    expect(third.containers).toEqual(["web"]);
  });

  it("is one program's, however many open it at once", async () => {
    await detached("one");
    const attempts = await Promise.allSettled([1, 2, 3].map(() => Sandbox.open("one", {}, ports)));
    const won = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
    const lost = attempts.flatMap((attempt) => (attempt.status === "rejected" ? [attempt.reason as unknown] : []));
    expect(won).toHaveLength(1);
    for (const error of lost) expect(error).toMatchObject({ code: "KATA_STATE" });
    await won[0]?.close();
  });

  it("stays detached where its guest does not answer the one that opens it", async () => {
    await detached("one");
    agent.failures.set("check", new Error("not now"));
    await expect(Sandbox.open("one", {}, ports)).rejects.toThrow("not now");
    expect(await states()).toEqual(["one detached"]);
    agent.failures.delete("check");
    await using _opened = await Sandbox.open("one", {}, ports);
  });

  it("says both where neither its guest answers nor it can be let go of again", async () => {
    await detached("one");
    agent.failures.set("check", new Error("not now"));
    const take = ports.hypervisor.take.bind(ports.hypervisor);
    ports.hypervisor.take = async (state) => {
      const vm = await take(state);
      const detach = vm.detach.bind(vm);
      vm.detach = async (note) => {
        await detach(note);
        throw new KataError("KATA_PROXY", "its supervisor does not answer");
      };
      return vm;
    };
    await expect(Sandbox.open("one", {}, ports)).rejects.toMatchObject({
      message: expect.stringMatching(/not now.*its supervisor does not answer/) as string,
    });
  });

  it("keeps what the one has of it that has let go, whatever scopes it leaves, and gets nothing more of that", async () => {
    const sandbox = await Sandbox.create({ id: "one", detachable: true }, ports);
    {
      await using container = await sandbox.createContainer(program("web"));
      const running = await container.start();
      await sandbox.detach();
      await running.remove();
    }
    await expect(sandbox.createContainer(program("more"))).rejects.toMatchObject({
      code: "KATA_STATE",
      message: "sandbox one was detached",
    });
    expect(agent.calls.filter((name) => name === "removeContainer")).toEqual([]);
    await using opened = await Sandbox.open("one", {}, ports);
    expect(opened.containers).toEqual(["web"]);
  });

  it("is let go of, and the call says so, where its limit comes after the first process was let go of", async () => {
    const limit = new AbortController();
    const boot = ports.hypervisor.boot.bind(ports.hypervisor);
    ports.hypervisor.boot = async (request) => {
      const vm = await boot(request);
      const detach = vm.detach.bind(vm);
      vm.detach = async (note) => {
        limit.abort(new Error("enough"));
        await detach(note);
      };
      return vm;
    };
    await using sandbox = await Sandbox.create({ id: "one", detachable: true }, ports);
    await sandbox.detach({ signal: limit.signal });
    expect(await states()).toEqual(["one detached"]);
    await (await Sandbox.open("one", {}, ports)).close();
  });

  it("is removed with its VM, and what is left of one that has died, too", async () => {
    await detached("living");
    await detached("dead").catch(() => undefined); // One guest has one sandbox: the second one's creation fails.
    agent = new FakeAgent();
    await detached("dead");
    const vms = await ports.hypervisor.found();
    const dead = vms.find(({ sandboxId }) => sandboxId === "dead")?.state.vmm;
    process.kill(dead?.pid ?? 0, "SIGKILL");
    while (dead !== undefined && isAlive(dead)) await new Promise(setImmediate);
    expect(await states()).toEqual(["living detached", "dead left"]);
    await expect(Sandbox.open("dead", {}, ports)).rejects.toMatchObject({ code: "KATA_VM_GONE" });
    for (const found of await Sandbox.list({}, ports)) await found.remove();
    expect(await states()).toEqual([]);
    expect(vms.filter(({ state }) => isAlive(state.vmm))).toEqual([]);
  });
});

describe("a sandbox that is detached, and is given to no program", () => {
  it.each(["KATA_PROXY", "KATA_VM_GONE"] as const)("is removed all the same: %s", async (code) => {
    await detached("one");
    ports.hypervisor.take = () => Promise.reject(new KataError(code, "no answer"));
    for (const found of await Sandbox.list({}, ports)) await found.remove();
    expect(await states()).toEqual([]);
  });

  it("is not removed where another program has it", async () => {
    await detached("one");
    const take = ports.hypervisor.take.bind(ports.hypervisor);
    ports.hypervisor.take = () => Promise.reject(new KataError("KATA_STATE", "it belongs to another program"));
    const [found] = await Sandbox.list({}, ports);
    await expect(found?.remove()).rejects.toThrow("it belongs to another program");
    ports.hypervisor.take = take;
    await found?.remove();
  });
});

describe("what cannot be opened is refused by name", () => {
  it("is a sandbox of a living program, and one that is not there", async () => {
    await using _living = await Sandbox.create({ id: "living", detachable: true }, ports);
    await expect(Sandbox.open("living", {}, ports)).rejects.toMatchObject({
      code: "KATA_STATE",
      message: `sandbox living belongs to process ${String(process.pid)}, which is alive`,
    });
    await expect(Sandbox.open("other", {}, ports)).rejects.toMatchObject({ code: "KATA_NOT_FOUND" });
    await expect(Sandbox.open("other", { id: "x" } as object, ports)).rejects.toMatchObject({ code: "KATA_CONFIG" });
  });

  it("is one whose program was killed", async () => {
    ports.hypervisor.creator = DEAD;
    await using _left = await Sandbox.create({ id: "left", detachable: true }, ports);
    await expect(Sandbox.open("left", {}, ports)).rejects.toMatchObject({ code: "KATA_VM_GONE" });
  });
});

describe("what cannot be detached is refused by name, and nothing changes", () => {
  async function refused(sandbox: Sandbox, code: string, message: string): Promise<void> {
    await expect(sandbox.detach()).rejects.toMatchObject({
      code,
      message: `sandbox ${sandbox.id} cannot be detached: ${message}`,
    });
    expect(await states()).toEqual([`${sandbox.id} running`]);
  }

  it("is a sandbox whose VM is its program's child", async () => {
    await using sandbox = await Sandbox.create({ id: "own" }, ports);
    await refused(sandbox, "KATA_UNSUPPORTED", "its VM is a child of this program, and ends with it");
  });

  it("is one with a container that is not started", async () => {
    await using sandbox = await Sandbox.create({ id: "early", detachable: true }, ports);
    const container = await sandbox.createContainer(program("web"));
    await refused(sandbox, "KATA_STATE", "container web is not started");
    await container.start();
    await sandbox.detach();
    await (await Sandbox.open("early", {}, ports)).close();
  });

  it("is one in which a call is under way", async () => {
    await using sandbox = await Sandbox.create({ id: "busy", detachable: true }, ports);
    const running = sandbox.run({ rootfs, id: "job", args: ["sleep", "1000"] });
    while (!agent.calls.includes("startContainer")) await new Promise(setImmediate);
    await refused(sandbox, "KATA_STATE", "a call of run is under way in this program");
    agent.end();
    await running.catch(() => undefined);
  });

  it("is one whose VM has ended", async () => {
    const sandbox = await Sandbox.create({ id: "gone", detachable: true }, ports);
    await sandbox.close();
    await expect(sandbox.detach()).rejects.toMatchObject({ code: "KATA_VM_GONE" });
  });

  it("is one that the host has no room to record: its processes keep their streams", async () => {
    const boot = ports.hypervisor.boot.bind(ports.hypervisor);
    ports.hypervisor.boot = async (request) => {
      const vm = await boot(request);
      const prepareDetach = vm.prepareDetach.bind(vm);
      const answers = [() => Promise.reject(new Error("no space left on device")), prepareDetach];
      vm.prepareDetach = (note) => (answers.shift() ?? prepareDetach)(note);
      return vm;
    };
    await using sandbox = await Sandbox.create({ id: "full", detachable: true }, ports);
    const { process: first } = await (await sandbox.createContainer(program("web"))).start();
    await refused(sandbox, "KATA_STATE_FILE", "no space left on device");
    await first.kill("SIGTERM");
    expect(await first.wait()).toBe(143);
    await sandbox.detach();
    await (await Sandbox.open("full", {}, ports)).close();
  });

  it("is one for a call that was given up", async () => {
    await using sandbox = await Sandbox.create({ id: "kept", detachable: true }, ports);
    await expect(sandbox.detach({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    expect(await states()).toEqual(["kept running"]);
  });
});
