import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { AgentClient, grpc } from "@kata-ts/agent-protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Sandbox } from "../src/index.ts";
import { FakeAgent, fakePorts } from "../src/testing/index.ts";

const vm = { kernelPath: "/kernel", imagePath: "/image" };

/** What a program in plain JavaScript may pass. */
const loose = (options: unknown): never => options as never;

describe("an embedded sandbox", () => {
  let rootfs = "";
  let agent: FakeAgent;
  let execs: grpc.ExecProcessRequest.$Properties[];

  beforeEach(() => {
    rootfs = mkdtempSync(join(tmpdir(), "kata-embedded-"));
    agent = new FakeAgent({ stdout: "", status: 0 });
    execs = [];
  });
  afterEach(() => {
    rmSync(rootfs, { recursive: true });
  });

  /** An agent of the 1.x contract, which tells what it was asked to run. */
  function connectAgent(): AgentClient {
    return {
      ...agent.connect(),
      execProcess: async (request: grpc.ExecProcessRequest.$Properties) => {
        execs.push(request);
        return await agent.connect().closeStdin({});
      },
    };
  }

  function create(options: object = {}): Promise<Sandbox> {
    return Sandbox.create(loose({ vm, ...options }), fakePorts(connectAgent));
  }

  it("runs another process as the container's user, with its environment, in its directory", async () => {
    await using sandbox = await create();
    const user = { uid: 1000, gid: 1001, additionalGids: [7] };
    await using container = await sandbox.createContainer({
      ...{ rootfs, args: ["sh"], user },
      ...{ env: ["PATH=/bin", "A=1", "B=2"], cwd: "/srv" },
    });
    const running = await container.start();
    await running.exec({ args: ["id"] });
    await running.exec({ args: ["id"], env: ["B=3", "C=4"], cwd: "/tmp", user: { uid: 0, gid: 0 } });
    const [same, other] = execs.map(({ process }) => process);
    expect(same).toMatchObject({ Env: ["PATH=/bin", "A=1", "B=2"], Cwd: "/srv", Args: ["id"] });
    expect(same?.User).toMatchObject({ UID: 1000, GID: 1001, AdditionalGids: [7] });
    expect(same?.NoNewPrivileges).toBe(true);
    expect(other).toMatchObject({ Env: ["PATH=/bin", "A=1", "B=3", "C=4"], Cwd: "/tmp", User: { UID: 0, GID: 0 } });
  });

  it("ends a process whose time is over, or that its caller gives up, and says why it ended", async () => {
    agent = new FakeAgent({ stdout: "begun" });
    await using sandbox = await create();
    const late = await sandbox.run({ rootfs, args: ["sh"], timeoutMs: 1000 });
    expect(late).toMatchObject({ exitCode: 137, signal: "SIGKILL", reason: "timedOut" });
    const caller = new AbortController();
    const { signal } = caller;
    const startsBefore = agent.calls.filter((name) => name === "startContainer").length;
    const given = sandbox.run({ rootfs, args: ["sh"], signal, timeoutMs: 60_000 });
    await vi.waitUntil(() => agent.calls.filter((name) => name === "startContainer").length > startsBefore);
    await setImmediate();
    caller.abort();
    expect(await given).toMatchObject({ reason: "aborted" });
    await using container = await sandbox.createContainer({ rootfs, args: ["sh"] });
    const { process: first } = await container.start();
    await expect(first.wait({ timeoutMs: 20 })).rejects.toMatchObject({ code: "KATA_TIMEOUT" });
    await expect(first.wait(AbortSignal.abort("enough"))).rejects.toBe("enough");
    await first.kill("SIGTERM");
    expect(await first.result()).toMatchObject({ exitCode: 143, signal: "SIGTERM", reason: "signalled" });
  });

  it.each([0, -1, 1.5, 2 ** 31, "1000", Number.NaN])(
    "refuses a time limit of %s, which no timer can have",
    async (timeoutMs) => {
      await using sandbox = await create();
      await using container = await sandbox.createContainer({ rootfs, args: ["sh"] });
      const running = await container.start();
      const asked = loose({ args: ["sh"], timeoutMs });
      const { process: first } = running;
      const before = agent.calls.length;
      for (const asking of [running.exec(asked), running.run(asked), first.wait(asked), first.result(asked)]) {
        await expect(asking).rejects.toMatchObject({ code: "KATA_CONFIG" });
      }
      await expect(sandbox.run(loose({ rootfs, args: ["sh"], timeoutMs }))).rejects.toThrow(/timeoutMs is not a whole/);
      expect(agent.calls).toHaveLength(before);
    },
  );

  it("does not run a process as a user by name where the agent knows numbers only", async () => {
    await using sandbox = await create();
    const refusal = { code: "KATA_UNSUPPORTED", message: expect.stringContaining('"www-data"') as string };
    await expect(sandbox.run({ rootfs, args: ["id"], user: "www-data" })).rejects.toMatchObject(refusal);
    await using container = await sandbox.createContainer({ rootfs, args: ["sh"], user: "7:8" });
    const running = await container.start();
    await expect(running.exec({ args: ["id"], user: "www-data" })).rejects.toMatchObject(refusal);
    await running.exec({ args: ["id"], user: "1000:1001" });
    await running.exec({ args: ["id"] });
    expect(execs.map(({ process }) => [process?.User?.UID, process?.User?.GID])).toEqual([
      [1000, 1001],
      [7, 8],
    ]);
  });

  it("has a VM that grows by what the limits of its containers add up to", async () => {
    const ports = fakePorts(connectAgent);
    await using sandbox = await Sandbox.create(loose({ vm }), ports);
    const grown = (): unknown => [...ports.hypervisor.grown.values()][0];
    const resources = { memory: { limit: 256 * 2 ** 20 }, cpu: { quota: 150_000 } };
    await using first = await sandbox.createContainer({ rootfs, args: ["sh"], resources });
    expect(grown()).toEqual({ vcpus: 2, memoryMiB: 256 });
    const limited = { rootfs, args: ["sh"], id: "second", resources: { memory: { limit: 64 * 2 ** 20 } } };
    {
      await using _second = await sandbox.createContainer(limited);
      expect(grown()).toEqual({ vcpus: 2, memoryMiB: 320 });
      await expect(sandbox.createContainer(limited)).rejects.toMatchObject({ code: "KATA_ID_IN_USE" });
    }
    expect(grown()).toEqual({ vcpus: 2, memoryMiB: 256 });
    agent.failures.set("createContainer", new Error("no"));
    await expect(sandbox.createContainer(limited)).rejects.toThrow("no");
    expect(grown()).toEqual({ vcpus: 2, memoryMiB: 256 });
    agent.failures.clear();
    const running = await first.start();
    await running.update({ memory: { limit: 512 * 2 ** 20 } });
    expect(grown()).toEqual({ vcpus: 2, memoryMiB: 512 });
  });

  it("makes a container of a whole config.json, as it is, and grows by its limits", async () => {
    const ports = fakePorts(connectAgent);
    await using sandbox = await Sandbox.create(loose({ vm }), ports);
    const config = {
      ociVersion: "1.2.0",
      process: { args: ["id"], cwd: "/srv", user: { uid: 7, gid: 8 }, env: ["A=1"] },
      root: { path: rootfs, readonly: true },
      linux: { resources: { memory: { limit: 128 * 2 ** 20 } } },
    };
    await using container = await sandbox.createContainer({ config });
    expect([...ports.hypervisor.grown.values()]).toEqual([{ vcpus: 0, memoryMiB: 128 }]);
    expect([...ports.hypervisor.shared.values()].flatMap((names) => [...names.values()])).toEqual([rootfs]);
    const running = await container.start();
    await running.exec({ args: ["sh"] });
    expect(execs[0]?.process).toMatchObject({ Cwd: "/srv", Env: ["A=1"], User: { UID: 7, GID: 8 } });
  });

  it("that is forgotten says so, once it does nothing, and not after its end", async () => {
    const warned: Promise<Error & { code?: string }> = new Promise((resolve) => process.once("warning", resolve));
    const sandbox = await create({ idleWarningMs: 30, id: "forgotten" });
    await sandbox.run({ rootfs, args: ["true"] });
    const warning = await warned;
    expect(warning.code).toBe("KATA_SANDBOX_IDLE");
    expect(warning.message).toMatch(
      /^sandbox forgotten has done nothing for 0\.03 s, and its VM keeps this program alive/,
    );
    await sandbox[Symbol.asyncDispose]();
  });

  it("runs nothing for a signal that is aborted", async () => {
    const signal = AbortSignal.abort(new Error("too late"));
    await using sandbox = await create();
    await using container = await sandbox.createContainer({ rootfs, args: ["sh"] });
    const running = await container.start();
    const before = agent.calls.length;
    await expect(running.run({ args: ["sh"], signal })).rejects.toThrow("too late");
    await expect(sandbox.run({ rootfs, args: ["sh"], signal })).rejects.toThrow("too late");
    await expect(create({ signal })).rejects.toThrow("too late");
    expect(agent.calls.slice(before)).toEqual([]);
    expect(execs).toEqual([]);
  });

  it("starts no container whose signal is aborted while it is made", async () => {
    const abort = new AbortController();
    await using sandbox = await create();
    const running = sandbox.run({ rootfs, args: ["sh"], signal: abort.signal });
    abort.abort(new Error("changed my mind"));
    await expect(running).rejects.toThrow("changed my mind");
    expect(agent.calls).not.toContain("startContainer");
    expect(sandbox.containers).toEqual([]);
  });

  it("may be disposed of twice, as may its containers", async () => {
    const sandbox = await create();
    const container = await sandbox.createContainer({ rootfs, args: ["sh"] });
    await container[Symbol.asyncDispose]();
    await container[Symbol.asyncDispose]();
    expect(agent.calls.filter((name) => name === "removeContainer")).toHaveLength(1);
    await sandbox[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
    expect(sandbox.isRunning).toBe(false);
  });

  it("can be told again to remove a container that could not be removed", async () => {
    await using sandbox = await create();
    const container = await sandbox.createContainer({ rootfs, args: ["sh"] });
    agent.failures.set("removeContainer", new Error("busy"));
    await expect(container[Symbol.asyncDispose]()).rejects.toThrow("busy");
    agent.failures.clear();
    await container[Symbol.asyncDispose]();
    expect(sandbox.containers).toEqual([]);
  });

  it("can be told again to remove a container of which something was not given back", async () => {
    const ports = fakePorts(connectAgent);
    const boot = ports.hypervisor.boot.bind(ports.hypervisor);
    ports.hypervisor.boot = async (request) => {
      const booted = await boot(request);
      const unshare = booted.unshare.bind(booted);
      booted.unshare = (name) => {
        booted.unshare = unshare;
        return Promise.reject(new Error(`busy: ${name}`));
      };
      return booted;
    };
    await using sandbox = await Sandbox.create(loose({ vm }), ports);
    const container = await sandbox.createContainer({ rootfs, args: ["sh"] });
    await expect(container[Symbol.asyncDispose]()).rejects.toThrow("busy");
    await container[Symbol.asyncDispose]();
    expect(agent.calls.filter((name) => name === "removeContainer")).toHaveLength(1);
    expect(sandbox.containers).toEqual([]);
  });
});
