import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Call, type Caller, withinLimits } from "./caller.ts";
import { AgentRpcError, RpcStatus } from "./errors.ts";
import { rpcs } from "./table.ts";
import { WatchfulCaller } from "./watchful-caller.ts";

const REPLY = new Uint8Array([1]);

/** An agent that answers checks while it lives, and a call when the test lets it. */
class Agent implements Caller {
  alive = true;
  checks = 0;
  readonly work: PromiseWithResolvers<Uint8Array> = Promise.withResolvers();

  call(call: Call): Promise<Uint8Array> {
    if (call.path !== rpcs.check.path) return withinLimits(this.work.promise, call);
    this.checks += 1;
    return this.alive ? Promise.resolve(REPLY) : withinLimits(new Promise(() => undefined), call);
  }

  close(): void {
    this.work.reject(new AgentRpcError(RpcStatus.Cancelled, "closed"));
  }
}

const CREATE = rpcs.createContainer.path;

function callOf(expiresAt: number | undefined, signal?: AbortSignal): Call {
  return { path: CREATE, request: new Uint8Array(), expiresAt, silenceMs: 20_000, signal, waitForReady: false };
}

describe("a call to an agent that may hang", () => {
  let agent: Agent;
  let caller: WatchfulCaller;
  let share: number;

  beforeEach(() => {
    vi.useFakeTimers();
    agent = new Agent();
    share = 1;
    caller = new WatchfulCaller(agent, () => share);
  });

  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it("is given up when there is no sign of life, by name", async () => {
    agent.alive = false;
    const calling = caller.call(callOf(performance.now() + 60_000)).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(19_000);
    expect(await Promise.race([calling, Promise.resolve("waits")])).toBe("waits");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await calling).toMatchObject({ status: RpcStatus.DeadlineExceeded, rpc: CREATE });
  });

  it("takes its time while the agent lives, up to its deadline", async () => {
    const calling = caller.call(callOf(performance.now() + 60_000)).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(agent.checks).toBe(11);
    expect(await Promise.race([calling, Promise.resolve("waits")])).toBe("waits");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await calling).toMatchObject({ message: "Deadline exceeded" });
  });

  it("is not asked after when it is short", async () => {
    const calling = caller.call(callOf(performance.now() + 60_000));
    await vi.advanceTimersByTimeAsync(4_000);
    agent.work.resolve(REPLY);
    expect(await calling).toBe(REPLY);
    expect(agent.checks).toBe(0);
  });

  it("survives an agent that is silent for a while", async () => {
    agent.alive = false;
    const calling = caller.call(callOf(performance.now() + 60_000));
    await vi.advanceTimersByTimeAsync(14_000);
    agent.work.resolve(REPLY);
    expect(await calling).toBe(REPLY);
  });

  it("is given up later where the host has little time for the agent, but not after its deadline", async () => {
    agent.alive = false;
    share = 1 / 2;
    const calling = caller.call(callOf(performance.now() + 60_000)).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(34_000);
    expect(await Promise.race([calling, Promise.resolve("waits")])).toBe("waits");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await calling).toMatchObject({ message: expect.stringContaining("no sign of life") as string });

    share = 1 / 50;
    const longer = caller.call(callOf(performance.now() + 60_000)).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(await Promise.race([longer, Promise.resolve("waits")])).toBe("waits");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await longer).toMatchObject({ message: "Deadline exceeded" });
  });

  it("without a deadline waits for an event, however silent the agent is", async () => {
    agent.alive = false;
    const calling = caller.call(callOf(undefined));
    await vi.advanceTimersByTimeAsync(600_000);
    agent.work.resolve(REPLY);
    expect(await calling).toBe(REPLY);
    expect(agent.checks).toBe(0);
  });

  it("ends with its caller's own signal, and with the connection", async () => {
    const abort = new AbortController();
    const aborted = caller.call(callOf(performance.now() + 60_000, abort.signal));
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ status: RpcStatus.Cancelled, message: "the call was aborted" });
    const closed = caller.call(callOf(performance.now() + 60_000));
    caller.close();
    await expect(closed).rejects.toMatchObject({ message: "closed" });
  });
});
