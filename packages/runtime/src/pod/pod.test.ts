import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { AgentRpcError, RpcStatus } from "@kata-ts/agent-protocol";
import { defaultSpec, MemoryStore, noCgroups, noNetwork, parseContainerId, statusOf } from "@kata-ts/virtcontainers";
import { FakeAgent, FakeHypervisor, type FakeProgram } from "@kata-ts/virtcontainers/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadBundle } from "../bundle/load.ts";
import { findInstallation } from "../config/installation.ts";
import { cleanUp } from "./clean-up.ts";
import { Pod } from "./pod.ts";
import type { PodOptions } from "./pod-options.ts";

const TYPE = "io.kubernetes.cri.container-type";
const SANDBOX_ID = "io.kubernetes.cri.sandbox-id";

describe("a pod of this process, over fakes", () => {
  let directory = "";
  let agent: FakeAgent;
  let hypervisor: FakeHypervisor;
  let store: MemoryStore;
  let warnings: string[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-pod-"));
    writeFileSync(join(directory, "configuration.toml"), "");
    hypervisor = new FakeHypervisor();
    store = new MemoryStore();
    warnings = [];
    use({});
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  function use(program: FakeProgram): void {
    agent = new FakeAgent(program);
  }

  function options(): PodOptions {
    const none = (): void => undefined;
    return {
      root: join(directory, "root"),
      config: join(directory, "configuration.toml"),
      installation: findInstallation("/opt/kata-ts/libexec/kata-ts"),
      log: { debug: none, warning: (message) => warnings.push(message), enableDebug: none, about: none, alsoTo: none },
      makers: {
        store: () => store,
        hypervisor: () => hypervisor,
        connectAgent: () => () => agent.connect(),
        network: () => noNetwork,
        cgroups: () => noCgroups,
      },
    };
  }

  function bundle(annotations: Readonly<Record<string, string>> = {}) {
    const path = mkdtempSync(join(directory, "bundle-"));
    mkdirSync(join(path, "rootfs"));
    const spec = { ...defaultSpec({ args: ["sh"] }), root: { path: "rootfs" }, annotations };
    writeFileSync(join(path, "config.json"), JSON.stringify(spec));
    return loadBundle(path);
  }

  async function status(id: string): Promise<string> {
    return statusOf(await store.read(parseContainerId(id)));
  }

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

  it("kills an exec, too, that is being started when its container is saved to end", async () => {
    hypervisor.isSavable = true;
    const [asked, started] = [Promise.withResolvers<void>(), Promise.withResolvers<object>()];
    const gone = Promise.withResolvers<never>();
    gone.promise.catch(() => undefined);
    const connectAgent = () => ({
      ...agent.connect(),
      execProcess: () => {
        asked.resolve();
        return started.promise;
      },
      ...{ waitProcess: () => gone.promise, readStdout: () => gone.promise, readStderr: () => gone.promise },
    });
    const { makers, ...rest } = options();
    const pod = new Pod({ ...rest, makers: { ...makers, connectAgent: () => connectAgent } });
    const first = await pod.create({ id: "web", bundle: bundle() });
    await pod.start("web");
    const exec = pod.exec("web", "e1", { cwd: "/", args: ["sh"] });
    await asked.promise;
    await pod.checkpoint("web", join(directory, "saved"), { leaveRunning: false });
    gone.reject(new AgentRpcError(RpcStatus.Unavailable, "the guest is gone"));
    started.resolve({});
    const statuses = [first, await exec].map(({ stdout, stderr, exited }) => {
      for (const output of [stdout, stderr]) output.resume();
      return exited.then(({ status: each }) => each);
    });
    expect(await Promise.all(statuses)).toEqual([137, 137]);
    await pod.close();
  });

  it.each([
    ["that is with others in a VM", undefined, "shares its VM with plain"],
    ["of a pod by its annotations", { [TYPE]: "sandbox", [SANDBOX_ID]: "web" }, "annotations make it one of a pod"],
  ])("refuses to save a container %s, before anything changes", async (_what, annotations, reason) => {
    hypervisor.isSavable = true;
    const pod = new Pod(options());
    await pod.create({ id: "web", bundle: bundle(annotations) });
    if (annotations === undefined) await pod.create({ id: "plain", bundle: bundle() });
    await pod.start("web");
    const refused = { code: "KATA_UNSUPPORTED", message: expect.stringContaining(reason) as unknown };
    const calls = [...agent.calls];
    await expect(pod.checkpoint("web", join(directory, "saved"), { leaveRunning: false })).rejects.toMatchObject(
      refused,
    );
    expect(agent.calls).toEqual(calls);
    expect(existsSync(join(directory, "saved"))).toBe(false);
    expect(await status("web")).toBe("running");
    await pod.close();
  });

  it("refuses to save a container that has joined another one's VM, also where that one has gone, by its name", async () => {
    hypervisor.isSavable = true;
    const pod = new Pod(options());
    await pod.create({ id: "web", bundle: bundle() });
    await pod.create({ id: "plain", bundle: bundle() });
    for (const id of ["web", "plain"]) await pod.start(id);
    await pod.delete("web", { force: true });
    await expect(pod.checkpoint("plain", join(directory, "saved"))).rejects.toMatchObject({
      code: "KATA_UNSUPPORTED",
      message: "container plain cannot be saved: it has joined the VM of web, which has gone since",
    });
    expect(await status("plain")).toBe("running");
    await pod.close();
  });

  it("restores no container that is to be of a pod, or that has another terminal", async () => {
    hypervisor.isSavable = true;
    const saved = join(directory, "saved");
    const other = new Pod(options());
    await other.create({ id: "web", bundle: bundle() });
    await other.start("web");
    await other.checkpoint("web", saved);
    await expect(other.restore({ id: "app", bundle: bundle(), directory: saved })).rejects.toMatchObject({
      code: "KATA_STATE",
      message: expect.stringContaining("cannot be restored into the VM of a pod") as unknown,
    });
    await other.close();
    const pod = new Pod(options());
    const refused = (message: string) => ({
      code: "KATA_UNSUPPORTED",
      message: expect.stringContaining(message) as unknown,
    });
    const member = bundle({ [TYPE]: "container", [SANDBOX_ID]: "pause" });
    await expect(pod.restore({ id: "app", bundle: member, directory: saved })).rejects.toMatchObject(
      refused("annotations make it one of a pod"),
    );
    const plain = bundle();
    const withTerminal = { ...plain.spec, process: { ...plain.spec.process, cwd: "/", terminal: true } };
    const terminal = { ...plain, spec: withTerminal };
    await expect(pod.restore({ id: "app", bundle: terminal, directory: saved })).rejects.toMatchObject(
      refused("was saved without a terminal"),
    );
    expect(await store.list()).toEqual([]);
    await pod.close();
  });

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
