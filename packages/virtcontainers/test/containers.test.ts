import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { AgentRpcError, type RpcName, RpcStatus } from "@kata-ts/agent-protocol";
import { isAlive } from "@kata-ts/linux";
import { beforeEach, describe, expect, it } from "vitest";
import {
  createContainer,
  deleteContainer,
  joinSandbox,
  killContainer,
  MemoryStore,
  noCgroups,
  noNetwork,
  parseContainerId,
  pauseContainer,
  resumeContainer,
  startContainer,
  statusOf,
  syncNetwork,
} from "../src/index.ts";
import { FakeAgent, FakeHypervisor, FakeNetwork, FakeShims } from "../src/testing/index.ts";
import { CONFIG, ID, SANDBOX } from "./web-container.ts";

describe("containers, over fakes of every port", () => {
  let agent: FakeAgent;
  let hypervisor: FakeHypervisor;
  let shims: FakeShims;
  let warnings: string[];
  let ports: ReturnType<typeof newPorts>;

  function newPorts() {
    const connectAgent = () => agent.connect();
    const warn = (message: string): void => {
      warnings.push(message);
    };
    return { store: new MemoryStore(), hypervisor, connectAgent, network: noNetwork, cgroups: noCgroups, shims, warn };
  }

  beforeEach(() => {
    warnings = [];
    agent = new FakeAgent();
    hypervisor = new FakeHypervisor();
    shims = new FakeShims(() => agent.connect());
    ports = newPorts();
  });

  async function status(): Promise<string> {
    return statusOf(await ports.store.read(ID));
  }

  async function nothingIsLeft(): Promise<void> {
    expect(await ports.store.list()).toEqual([]);
    expect(hypervisor.shared.size).toBe(0);
  }

  it.each([
    ["the process that owns the VM", true],
    ["another one", false],
  ])(
    "ask an engine's resolver that is named between create and start, or while they run, by %s",
    async (_, isOwner) => {
      hypervisor.isOwner = isOwner;
      const resolvConf = join(mkdtempSync(join(tmpdir(), "containers-")), "resolv.conf");
      const spec = { ...CONFIG.spec, mounts: [{ destination: "/etc/resolv.conf", source: resolvConf }] };
      const asked = (): number => agent.calls.filter((name) => name === "serveDns").length;
      writeFileSync(resolvConf, "nameserver 192.0.2.1\n");
      await createContainer({ ...CONFIG, spec }, SANDBOX, ports);
      expect(asked()).toBe(0);
      writeFileSync(resolvConf, "nameserver 127.0.0.11\n");
      await startContainer(ID, ports);
      expect(asked()).toBe(1);
      writeFileSync(resolvConf, "nameserver 192.0.2.1\n");
      await syncNetwork(ID, ports);
      expect(asked()).toBe(1);
      writeFileSync(resolvConf, "nameserver 127.0.0.11\n");
      await syncNetwork(ID, ports);
      expect(asked()).toBe(2);
      rmSync(dirname(resolvConf), { recursive: true });
    },
  );

  it("ask no engine's resolver where what they may call is limited: it asks others", async () => {
    const resolvConf = join(mkdtempSync(join(tmpdir(), "containers-")), "resolv.conf");
    writeFileSync(resolvConf, "nameserver 127.0.0.11\n");
    const spec = { ...CONFIG.spec, mounts: [{ destination: "/etc/resolv.conf", source: resolvConf }] };
    const network = Object.assign(new FakeNetwork(), { isLimited: true });
    const { record } = await createContainer({ ...CONFIG, spec }, SANDBOX, { ...ports, network });
    await startContainer(ID, ports);
    await syncNetwork(ID, ports);
    expect(record.vm?.resolvConf).toBeUndefined();
    expect(agent.calls).not.toContain("serveDns");
    rmSync(dirname(resolvConf), { recursive: true });
  });

  it("go through their life", async () => {
    const { record, shim } = await createContainer(CONFIG, SANDBOX, ports);
    expect(await status()).toBe("created");
    expect([...(hypervisor.shared.get(record.vm?.dir ?? "") ?? [])]).toEqual([["web/rootfs", "/"]]);
    await startContainer(ID, ports);
    expect(await status()).toBe("running");
    await pauseContainer(ID, ports);
    expect(await status()).toBe("paused");
    await resumeContainer(ID, ports);
    await expect(deleteContainer(ID, { force: false }, ports)).rejects.toMatchObject({ code: "KATA_STATE" });
    await killContainer(ID, 15, false, ports);
    expect(await shim.exited).toBe(128 + 15);
    while (isAlive(shim.identity)) await new Promise(setImmediate);
    expect(await status()).toBe("stopped");
    await expect(killContainer(ID, 9, false, ports)).rejects.toThrow("container not running");
    await deleteContainer(ID, { force: false }, ports);
    await nothingIsLeft();
    expect(agent.calls).toEqual(
      expect.arrayContaining([
        "createSandbox",
        "createContainer",
        "startContainer",
        "destroySandbox",
      ] satisfies RpcName[]),
    );
  });

  it.each([
    ["the VM does not boot", () => (hypervisor.failure = new Error("no boot")), "no boot"],
    [
      "the agent does not answer",
      () => agent.failures.set("check", new AgentRpcError(RpcStatus.DeadlineExceeded, "late")),
      "did not answer",
    ],
    [
      "the sandbox is refused",
      () => agent.failures.set("createSandbox", new AgentRpcError(RpcStatus.Internal, "no")),
      "could not prepare the sandbox",
    ],
    [
      "the container is refused",
      () => agent.failures.set("createContainer", new AgentRpcError(RpcStatus.Internal, "no")),
      "could not create container web",
    ],
    ["the shim does not take over", () => (shims.failure = new Error("no shim")), "no shim"],
  ])("are taken back whole when %s, which is reported", async (_what, spoil, reason) => {
    spoil();
    await expect(createContainer(CONFIG, SANDBOX, ports)).rejects.toThrow(reason);
    await nothingIsLeft();
    agent = new FakeAgent(); // a new VM, a new agent
    hypervisor.failure = undefined;
    shims.failure = undefined;
    await createContainer(CONFIG, SANDBOX, ports); // the id is free again
    await deleteContainer(ID, { force: true }, ports);
    await nothingIsLeft();
  });

  it.each([
    ["hangs", RpcStatus.DeadlineExceeded, "was not ended in order"],
    ["cannot write to its disk", RpcStatus.Internal, "was not ended in order"],
    ["has died", RpcStatus.Unavailable, undefined],
  ])("go with a guest that %s, with a warning where files may be lost", async (_what, failure, warning) => {
    await createContainer(CONFIG, SANDBOX, ports);
    warnings = [];
    agent.failures.set("destroySandbox", new AgentRpcError(failure, "why"));
    await deleteContainer(ID, { force: false }, ports);
    await nothingIsLeft();
    expect(warnings).toEqual(warning === undefined ? [] : [expect.stringMatching(`${warning}.*why`)]);
  });

  it("stay created when their start is refused, and say so", async () => {
    await createContainer(CONFIG, SANDBOX, ports);
    agent.failures.set("startContainer", new AgentRpcError(RpcStatus.Internal, "exec format error"));
    await expect(startContainer(ID, ports)).rejects.toThrow("could not start container web: exec format error");
    expect(await status()).toBe("created");
    agent.failures.clear();
    const both = await Promise.allSettled([startContainer(ID, ports), startContainer(ID, ports)]);
    expect(both.filter((each) => each.status === "fulfilled")).toHaveLength(1);
    await deleteContainer(ID, { force: true }, ports);
    await nothingIsLeft();
  });

  it("are stopped when their VM dies, for every reader", async () => {
    const { record } = await createContainer(CONFIG, SANDBOX, ports);
    await startContainer(ID, ports);
    process.kill(record.vm?.vmm.pid ?? 0, "SIGKILL");
    while ((await status()) !== "stopped") await new Promise(setImmediate);
    await deleteContainer(ID, { force: true }, ports);
    await deleteContainer(ID, { force: true }, ports);
    await nothingIsLeft();
  });

  it("are recorded with the user that the guest looks up, which other processes have, too", async () => {
    const { record } = await createContainer({ ...CONFIG, user: "0" }, SANDBOX, ports);
    expect(record.user).toBe("0");
    expect((await ports.store.read(ID)).user).toBe("0");
  });

  it("of an earlier boot of the host are stopped, whatever their record says", async () => {
    const { record } = await createContainer(CONFIG, SANDBOX, ports);
    expect(statusOf({ ...record, bootId: "another" })).toBe("stopped");
    await deleteContainer(ID, { force: true }, ports);
  });

  const MEMBER = { ...CONFIG, id: parseContainerId("member") };

  it("join a sandbox that runs, and its VM ends with the last of them", async () => {
    await createContainer(CONFIG, SANDBOX, ports);
    await startContainer(ID, ports);
    const limits = { linux: { resources: { memory: { limit: 256 * 1024 ** 2 }, cpu: { quota: 150_000 } } } };
    const limited = { ...MEMBER, spec: { ...MEMBER.spec, ...limits } };
    const { record } = await joinSandbox(limited, ID, ports);
    expect(record).toMatchObject({ sandboxId: ID, demand: { milliCpus: 1500, memoryMiB: 256 } });
    expect([...hypervisor.grown.values()]).toEqual([{ vcpus: 2, memoryMiB: 256 }]);
    await deleteContainer(ID, { force: true }, ports);
    expect([...hypervisor.members.values()].map((each) => [...each])).toEqual([["member"]]);
    expect(statusOf(await ports.store.read(MEMBER.id))).toBe("created");
    await deleteContainer(MEMBER.id, { force: true }, ports);
    expect(await ports.store.list()).toEqual([]);
    expect(hypervisor.members.size + hypervisor.shared.size).toBe(0);
  });

  it("leave a sandbox as it was when they cannot join it", async () => {
    await createContainer(CONFIG, SANDBOX, ports);
    agent.failures.set("createContainer", new AgentRpcError(RpcStatus.Internal, "no"));
    await expect(joinSandbox(MEMBER, ID, ports)).rejects.toThrow("could not create container member");
    expect([...hypervisor.members.values()].map((each) => [...each])).toEqual([["web"]]);
    expect(await ports.store.list()).toEqual(["web"]);
    await expect(joinSandbox(MEMBER, parseContainerId("unknown"), ports)).rejects.toMatchObject({
      code: "KATA_NOT_FOUND",
    });
    await deleteContainer(ID, { force: true }, ports);
    await expect(joinSandbox(MEMBER, ID, ports)).rejects.toMatchObject({ code: "KATA_NOT_FOUND" });
    await nothingIsLeft();
  });
});
