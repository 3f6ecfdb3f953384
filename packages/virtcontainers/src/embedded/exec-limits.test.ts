import { endOfStream, type katats } from "@kata-ts/agent-protocol";
import { expect, it, vi } from "vitest";
import { parseContainerId } from "../identifiers.ts";
import type { ContainerParts } from "./container-parts.ts";
import { Process } from "./process.ts";
import { RunningContainer } from "./running-container.ts";

/** A container whose guest starts processes when it is let, and says which it was asked to kill. */
function guest() {
  const answer = Promise.withResolvers<katats.v1.ProcessTicket>();
  const killed = Promise.withResolvers<{ exec_id: string; signal: number }>();
  const asked: string[] = [];
  const agent = {
    execFromConfig: ({ exec_id }: { exec_id: string }) => {
      asked.push(exec_id);
      return answer.promise;
    },
    signalProcess: async (request: { exec_id: string; signal: number }) => {
      killed.resolve(request);
      return {};
    },
    waitProcess: async () => ({ status: 128 + (await killed.promise).signal }),
    readStdout: () => Promise.reject(endOfStream()),
    readStderr: () => Promise.reject(endOfStream()),
  };
  const idle = { during: <T>(work: () => Promise<T>): Promise<T> => work() };
  const id = parseContainerId("web");
  const vm = { state: { agentUrl: "unix:///nowhere" } };
  const parts = { id, sandboxId: id, agent, idle, vm, process: { cwd: "/", args: ["sh"], user: { uid: 0, gid: 0 } } };
  const first = Object.create(Process.prototype) as Process;
  const container = new RunningContainer(parts as unknown as ContainerParts, first);
  const start = (): void => {
    answer.resolve({ warnings: [] } as unknown as katats.v1.ProcessTicket);
  };
  return { container, start, asked, killed: killed.promise };
}

it.each<[string, (container: RunningContainer, limits: object) => Promise<unknown>]>([
  ["exec", (container, limits) => container.exec({ args: ["true"], ...limits })],
  ["run", (container, limits) => container.run({ args: ["true"], ...limits })],
])("%s ends at its limit where the guest starts nothing, and kills what it starts afterwards", async (_, call) => {
  for (const kind of ["timeoutMs", "signal"] as const) {
    const { container, start, asked, killed } = guest();
    const over = new AbortController();
    const limits = kind === "timeoutMs" ? { timeoutMs: 1 } : { signal: over.signal };
    const ended = expect(call(container, limits)).rejects.toMatchObject(
      kind === "timeoutMs"
        ? { code: "KATA_TIMEOUT", message: "the start of a process in container web took longer than 1 ms" }
        : { message: "enough" },
    );
    over.abort(new Error("enough"));
    await ended;
    start();
    expect(await killed).toMatchObject({ container_id: "web", exec_id: asked[0], signal: 9 });
  }
});

it("starts nothing where the caller has given up already", async () => {
  const { container, asked } = guest();
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(container.exec({ args: ["true"], signal })).rejects.toThrow("enough");
  await expect(container.run({ args: ["true"], signal })).rejects.toThrow("enough");
  expect(asked).toEqual([]);
});

it("is the caller's once it has started, until a limit of its life is reached", async () => {
  const { container, start, killed } = guest();
  start();
  const over = new AbortController();
  const process = await container.exec({ args: ["true"], signal: over.signal });
  const isKilled = vi.fn();
  void killed.then(isKilled);
  await new Promise(setImmediate);
  expect(isKilled).not.toHaveBeenCalled();
  over.abort();
  expect(await process.result()).toMatchObject({ signal: "SIGKILL", reason: "aborted" });
});
