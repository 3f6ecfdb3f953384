import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { AgentRpcError, RpcStatus } from "@kata-ts/agent-protocol";
import { parseContainerId } from "@kata-ts/virtcontainers";
import { describe, expect, it } from "vitest";
import {
  agent,
  bundle,
  directory,
  hypervisor,
  options,
  SANDBOX_ID,
  status,
  store,
  TYPE,
  use,
} from "../../test/pod-over-fakes.ts";
import { cleanUp } from "./clean-up.ts";
import { Pod } from "./pod.ts";

describe("a pod of this process, over fakes", () => {
  it("runs a container to its end, which its record says before any waiter learns of it", async () => {
    use({ stdout: "hello", status: 3 });
    const pod = new Pod(options());
    const events: unknown[] = [];
    pod.events.on("exit", (exit) => events.push({ ...exit, at: 0 }));
    const first = await pod.create({ id: "web", bundle: bundle() });
    expect(await status("web")).toBe("created");
    expect(first).toMatchObject({ containerId: "web", execId: undefined, pid: process.pid });
    expect((await store.read(parseContainerId("web"))).shim?.pid).toBe(process.pid);
    await pod.start("web");
    expect(await text(first.stdout)).toBe("hello");
    expect((await text(first.stderr)) === "" && (await first.exited).status).toBe(3);
    expect(await status("web")).toBe("stopped");
    expect(events).toEqual([{ containerId: "web", status: 3, at: 0 }]);
    await expect(pod.signal("web", 15)).rejects.toThrow("container not running");
    await pod.delete("web");
    expect(await store.list()).toEqual([]);
    expect(hypervisor.shared.size).toBe(0);
    await expect(pod.delete("web")).rejects.toMatchObject({ code: "KATA_NOT_FOUND" });
  });

  it("has containers that join it, whose end is not that of the others; the VM ends with the last", async () => {
    const pod = new Pod(options());
    const ended = new Promise((resolve) => pod.events.once("end", resolve));
    await pod.create({ id: "pause", bundle: bundle({ [TYPE]: "sandbox", [SANDBOX_ID]: "pause" }) });
    await pod.start("pause");
    const member = await pod.create({ id: "app", bundle: bundle({ [TYPE]: "container", [SANDBOX_ID]: "pause" }) });
    expect((await store.read(parseContainerId("app"))).sandboxId).toBe("pause");
    await pod.create({ id: "plain", bundle: bundle() }); // an engine's group, without annotations
    await pod.start("app");
    await pod.signal("app", 9);
    for (const output of [member.stdout, member.stderr]) output.resume();
    expect((await pod.wait("app")).status).toBe(137);
    expect(await status("pause")).toBe("running");
    await pod.delete("app");
    await pod.delete("pause", { force: true });
    expect(await status("plain")).toBe("created");
    await pod.close();
    await ended;
    expect(await store.list()).toEqual([]);
    await expect(pod.create({ id: "late", bundle: bundle() })).rejects.toThrow("the VM of this pod has ended");
  });

  it("takes back a first container that fails, and can make another", async () => {
    const pod = new Pod(options());
    agent.failures.set("createContainer", new AgentRpcError(RpcStatus.Internal, "no"));
    await expect(pod.create({ id: "web", bundle: bundle() })).rejects.toThrow("could not create container web");
    expect([pod.id, await store.list()]).toEqual([undefined, []]);
    use({});
    await pod.create({ id: "web", bundle: bundle() });
    expect(pod.id).toBe("web");
    await pod.close();
  });

  it("makes one of two containers that are created with one id at the same time", async () => {
    const pod = new Pod(options());
    const both = [pod.create({ id: "web", bundle: bundle() }), pod.create({ id: "web", bundle: bundle() })];
    const [one, other] = await Promise.allSettled(both);
    expect(one?.status).toBe("fulfilled");
    expect(other).toMatchObject({ reason: { code: "KATA_ID_IN_USE" } });
    expect(await status("web")).toBe("created");
    await pod.close();
  });

  it("refuses a second process of a name while the first is made, and gives the name back where that fails", async () => {
    const pod = new Pod(options());
    await pod.create({ id: "web", bundle: bundle() });
    await pod.start("web");
    const exec = () => pod.exec("web", "e1", { cwd: "/", args: ["sh"] });
    const noExecs = { reason: { code: "KATA_AGENT" } }; // by the fake agent
    const [one, other] = await Promise.allSettled([exec(), exec()]);
    expect([one, other]).toMatchObject([noExecs, { reason: { code: "KATA_ID_IN_USE" } }]);
    await expect(exec()).rejects.toMatchObject(noExecs.reason);
    await pod.close();
  });

  it.each([
    ["of another pod", { [TYPE]: "container", [SANDBOX_ID]: "other" }, "of the pod other"],
    ["that begins a pod", { [TYPE]: "sandbox", [SANDBOX_ID]: "new" }, "begins a pod"],
  ])("refuses a container %s", async (_what, annotations, reason) => {
    const pod = new Pod(options());
    await pod.create({ id: "pause", bundle: bundle({ [TYPE]: "sandbox", [SANDBOX_ID]: "pause" }) });
    await expect(pod.create({ id: "new", bundle: bundle(annotations) })).rejects.toThrow(reason);
    await pod.close();
    expect(await store.list()).toEqual([]);
  });

  it("tells of the end of its VM, which is the end of its containers with 255", async () => {
    const pod = new Pod(options());
    const process = await pod.create({ id: "web", bundle: bundle() });
    await pod.start("web");
    const { vm } = await store.read(parseContainerId("web"));
    globalThis.process.kill(vm?.vmm.pid ?? 0, "SIGKILL");
    await new Promise((resolve) => pod.events.once("end", resolve));
    agent.end();
    for (const output of [process.stdout, process.stderr]) output.resume();
    expect((await pod.wait("web")).status).toBe(255);
    await pod.delete("web", { force: true });
    expect(await store.list()).toEqual([]);
  });

  it("that was left by a dead process is cleaned up, and again is fine", async () => {
    const pod = new Pod(options());
    await pod.create({ id: "web", bundle: bundle() });
    await cleanUp("web", options());
    await cleanUp("web", options());
    expect(await store.list()).toEqual([]);
    expect(hypervisor.shared.size).toBe(0);
  });

  it("whose VM has ended is cleaned up by its first container, and another pod is not", async () => {
    const pod = new Pod(options());
    await pod.create({ id: "pause", bundle: bundle({ [TYPE]: "sandbox", [SANDBOX_ID]: "pause" }) });
    const member = bundle({ [TYPE]: "container", [SANDBOX_ID]: "pause" });
    await pod.create({ id: "app", bundle: member });
    agent.end();
    use({}); // That of the other pod's guest.
    const other = new Pod(options());
    await other.create({ id: "other", bundle: bundle() });
    const { vm } = await store.read(parseContainerId("pause"));
    const ended = new Promise((resolve) => pod.events.once("end", resolve));
    globalThis.process.kill(vm?.vmm.pid ?? 0, "SIGKILL");
    await ended;
    expect(await cleanUp("pause", options())).toEqual([member.path]);
    expect(await store.list()).toEqual(["other"]);
    await other.close();
  });

  it("has a VM before any container, which containers join, and which ends when it is stopped", async () => {
    const pod = new Pod(options());
    const pid = await pod.boot({ id: "pod", hostname: "web", annotations: { mine: "yes" } });
    const record = await store.read(parseContainerId("pod"));
    expect(record).toMatchObject({ id: "pod", sandboxId: "pod", vm: { vmm: { pid } }, annotations: { mine: "yes" } });
    expect(await status("pod")).toBe("running");
    expect(agent.calls.filter((call) => call.startsWith("create"))).toEqual(["createSandbox"]);
    await expect(pod.boot({ id: "pod" })).rejects.toThrow("pod pod has a VM already");
    await pod.create({ id: "app", bundle: bundle({ [TYPE]: "container", [SANDBOX_ID]: "pod" }) });
    expect((await store.read(parseContainerId("app"))).vm?.vmm.pid).toBe(pid);
    const ended = new Promise((resolve) => pod.events.once("end", resolve));
    await pod.stop();
    await ended;
    await pod.stop();
    await expect(pod.create({ id: "late", bundle: bundle() })).rejects.toThrow("the VM of this pod has ended");
    await pod.close();
    expect(await store.list()).toEqual([]);
  });

  it.each([true, false])(
    "saves its only container, which goes on or is killed (leave running: %s)",
    async (leaveRunning) => {
      hypervisor.isSavable = true;
      const saved = join(directory, "saved");
      const pod = new Pod(options());
      const ended = new Promise((resolve) => pod.events.once("end", resolve));
      await pod.create({ id: "web", bundle: bundle() });
      await expect(pod.checkpoint("web", saved)).rejects.toMatchObject({ code: "KATA_STATE" });
      await pod.start("web");
      await pod.checkpoint("web", saved, { leaveRunning });
      expect(readFileSync(join(saved, "manifest.json"), "utf8")).toMatch(
        /"containers":\[\{"id":"web","process":\{.*"sh"/,
      );
      if (!leaveRunning) await ended;
      expect(await status("web")).toBe(leaveRunning ? "running" : "stopped");
      expect(pod.containers, "it is for its engine to delete it").toEqual(["web"]);
      await pod.close();
      expect(await store.list()).toEqual([]);
    },
  );

  it("leaves nothing of a VM that does not come up", async () => {
    const pod = new Pod(options());
    hypervisor.failure = new Error("there is no memory");
    await expect(pod.boot({ id: "pod" })).rejects.toThrow("there is no memory");
    expect(await store.list()).toEqual([]);
    hypervisor.failure = undefined;
    await pod.boot({ id: "pod" });
    await pod.close();
    expect(await store.list()).toEqual([]);
  });
});
