import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentClient, CallOptions, RpcName } from "@kata-ts/agent-protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type LimitOptions, type RunningContainer, Sandbox } from "../src/index.ts";
import { FakeAgent, fakePorts, writeFakeSnapshot } from "../src/testing/index.ts";

const vm = { kernelPath: "/kernel", imagePath: "/image" };

/** Each call of the API that asks the guest, with the first RPC of it that is about its work. */
const CALLS: readonly (readonly [
  string,
  RpcName,
  (running: RunningContainer, limits: LimitOptions) => Promise<unknown>,
])[] = [
  ["pause", "pauseContainer", (running, limits) => running.pause(limits)],
  ["killAll", "signalProcess", (running, limits) => running.killAll("SIGTERM", limits)],
  ["stats", "statsContainer", (running, limits) => running.stats(limits)],
  ["update", "updateContainer", (running, limits) => running.update({ pids: { limit: 10 } }, limits)],
  ["processes", "listProcesses", (running, limits) => running.processes([], limits)],
  ["kill", "signalProcess", (running, limits) => running.process.kill("SIGTERM", limits)],
];

describe("the limits of a call", () => {
  let rootfs = "";
  let agent: FakeAgent;
  /** RPCs that the guest does not answer. */
  let stuck: readonly RpcName[];
  /** The calls that wait for an answer. */
  let waiting: RpcName[];
  /** What lets it answer. */
  let release: () => void;
  /** What has it refuse. */
  let refuse: (error: Error) => void;

  beforeEach(() => {
    rootfs = mkdtempSync(join(tmpdir(), "kata-limits-"));
    agent = new FakeAgent({ stdout: "begun" });
    stuck = [];
    waiting = [];
  });
  afterEach(() => {
    rmSync(rootfs, { recursive: true });
  });

  /** An agent whose answer to one RPC waits until it is released, or the call is given up. */
  function connectAgent(): AgentClient {
    return new Proxy(agent.connect(), {
      get: (target, asked) => {
        const rpc = Reflect.get(target, asked) as (request: object) => Promise<unknown>;
        const name = stuck.find((each) => each === asked);
        if (name === undefined) return rpc;
        return async (request: object, { signal }: CallOptions = {}) => {
          signal?.throwIfAborted();
          await new Promise((resolve, reject) => {
            waiting.push(name);
            release = () => {
              resolve(undefined);
            };
            refuse = reject;
            signal?.addEventListener("abort", () => {
              reject(new Error("the call was given up"));
            });
          });
          // The fake one does not serve it, as an agent of the 1.x contract.
          return name === "openStream" ? {} : await rpc(request);
        };
      },
    });
  }

  function create(): Promise<Sandbox> {
    return Sandbox.create({ vm }, fakePorts(connectAgent));
  }

  it.each(CALLS)("%s ends when its time is over, and when its signal is aborted", async (_name, rpc, call) => {
    await using sandbox = await create();
    await using container = await sandbox.createContainer({ rootfs, args: ["sh"] });
    const running = await container.start();
    stuck = [rpc];
    await expect(call(running, { timeoutMs: 20 })).rejects.toMatchObject({ code: "KATA_TIMEOUT" });
    const caller = new AbortController();
    const given = call(running, { signal: caller.signal });
    caller.abort("enough");
    await expect(given).rejects.toBe("enough");
    await expect(call(running, { timeoutMs: 0 })).rejects.toMatchObject({ code: "KATA_CONFIG" });
  });

  it("of start and resume end these, too", async () => {
    await using sandbox = await create();
    await using container = await sandbox.createContainer({ rootfs, args: ["sh"] });
    stuck = ["startContainer"];
    await expect(container.start({ timeoutMs: 20 })).rejects.toMatchObject({ code: "KATA_TIMEOUT" });
    await using other = await sandbox.createContainer({ rootfs, args: ["sh"] });
    stuck = [];
    const paused = await (await other.start()).pause();
    stuck = ["resumeContainer"];
    await expect(paused.resume({ timeoutMs: 20 })).rejects.toMatchObject({ code: "KATA_TIMEOUT" });
    stuck = [];
    await paused.resume({ timeoutMs: 60_000 });
  });

  it.each(["timeoutMs", "signal"] as const)("of run end one whose start hangs: %s", async (kind) => {
    await using sandbox = await create();
    stuck = ["startContainer", "removeContainer"];
    const caller = new AbortController();
    const limits = kind === "timeoutMs" ? { timeoutMs: 20 } : { signal: caller.signal };
    const given = expect(sandbox.run({ rootfs, args: ["sh"], ...limits })).rejects;
    const over = kind === "timeoutMs" ? given.toMatchObject({ code: "KATA_TIMEOUT" }) : given.toBe("enough");
    await vi.waitUntil(() => waiting.length > 0, { timeout: 10_000 });
    caller.abort("enough");
    await over;
    await vi.waitUntil(() => waiting.includes("removeContainer"), { timeout: 10_000 });
    expect(sandbox.containers).toHaveLength(1);
    release();
    await vi.waitUntil(() => sandbox.containers.length === 0, { timeout: 10_000 });
    expect(agent.calls).not.toContain("startContainer");
  });

  it("of run leave nothing of one whose start is refused", async () => {
    await using sandbox = await create();
    stuck = ["startContainer"];
    const given = expect(sandbox.run({ rootfs, args: ["sh"], timeoutMs: 60_000 })).rejects.toThrow("there is no sh");
    await vi.waitUntil(() => waiting.length > 0, { timeout: 10_000 });
    refuse(new Error("there is no sh"));
    await given;
    expect(sandbox.containers).toEqual([]);
  });

  it("of a container's creation have what the guest makes afterwards removed", async () => {
    await using sandbox = await create();
    stuck = ["createContainer"];
    await expect(sandbox.createContainer({ rootfs, args: ["sh"], timeoutMs: 20 })).rejects.toMatchObject({
      code: "KATA_TIMEOUT",
    });
    await vi.waitUntil(() => waiting.length > 0, { timeout: 10_000 });
    expect(agent.calls).not.toContain("removeContainer");
    release();
    await vi.waitUntil(() => agent.calls.includes("removeContainer"), { timeout: 10_000 });
  });

  it("are not needed for a snapshot to wait for a container that is just created", async () => {
    await using sandbox = await create();
    stuck = ["createContainer"];
    const creating = sandbox.createContainer({ rootfs, args: ["sh"] });
    const saving = expect(sandbox.snapshot(join(rootfs, "snapshot"))).rejects.toMatchObject({ code: "KATA_STATE" });
    const caller = new AbortController();
    const givenUp = sandbox.snapshot(join(rootfs, "snapshot"), { signal: caller.signal });
    caller.abort("enough");
    await expect(givenUp).rejects.toBe("enough");
    await vi.waitUntil(() => waiting.length > 0, { timeout: 10_000 });
    release();
    await saving;
    await using _container = await creating;
  });

  it("of a sandbox's creation end its VM before they say so", async () => {
    const ports = fakePorts(connectAgent);
    const vms = async (): Promise<number> => (await ports.hypervisor.found()).length;
    stuck = ["check"];
    await expect(Sandbox.create({ vm, timeoutMs: 200 }, ports)).rejects.toMatchObject({ code: "KATA_TIMEOUT" });
    expect(await vms()).toBe(0);
    const caller = new AbortController();
    const given = Sandbox.create({ vm, signal: caller.signal }, ports);
    await vi.waitUntil(async () => (await vms()) === 1, { timeout: 10_000 });
    caller.abort("enough");
    await expect(given).rejects.toBe("enough");
    expect(await vms()).toBe(0);
  });

  it.each<[string, RpcName, readonly string[]]>([
    ["creation", "setGuestDateTime", []],
    ["restoration", "setGuestDateTime", []],
    ["restoration with a container", "openStream", ["web"]],
  ])("of a sandbox's %s end its VM where its last call to the guest succeeds afterwards", async (what, rpc, ids) => {
    const ports = fakePorts(connectAgent);
    const vms = async (): Promise<number> => (await ports.hypervisor.found()).length;
    const snapshot = join(rootfs, "snapshot");
    await writeFakeSnapshot(snapshot, await ports.hypervisor.fingerprint(), ids);
    const guest = agent.connect();
    if (ids.length > 0) await guest.createSandbox({});
    for (const container_id of ids) await guest.createContainer({ container_id });
    stuck = [rpc];
    const caller = new AbortController();
    const options = { vm, signal: caller.signal };
    const given = what === "creation" ? Sandbox.create(options, ports) : Sandbox.restore(snapshot, options, ports);
    const over = expect(given).rejects.toBe("enough");
    await vi.waitUntil(() => waiting.length > 0, { timeout: 10_000 });
    caller.abort("enough");
    await vi.waitUntil(async () => (await vms()) === 0, { timeout: 10_000 });
    release();
    await over;
  });
});
