import { type Duplex, duplexPair } from "node:stream";
import { HostProcessStream, newToken, PREFACE_BYTES } from "@kata-ts/agent-protocol/process-stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ContainerProcess } from "./container-process.ts";
import { serveOwned } from "./process-owner.ts";

/** A process that runs until it is signalled. */
function endlessProcess(): { process: ContainerProcess; signals: number[] } {
  const signals: number[] = [];
  const exited = Promise.withResolvers<number>();
  const process = {
    execId: "p",
    running: true,
    exited: exited.promise,
    signal: (signal: number) => {
      signals.push(signal);
      exited.resolve(128 + signal);
    },
    streamed: (forget: () => void) => ({
      read: () => new Promise(() => undefined),
      closeOutput: () => undefined,
      write: () => Promise.resolve(true),
      closeInput: () => undefined,
      signal: () => undefined,
      resize: () => undefined,
      killSession: () => undefined,
      hangUp: () => undefined,
      exited: exited.promise,
      forget,
    }),
  };
  return { process: process as unknown as ContainerProcess, signals };
}

async function owner(process: ContainerProcess, channelIsOver: () => boolean): Promise<[HostProcessStream, Duplex]> {
  const [here, there] = duplexPair();
  const opening = HostProcessStream.open(here, newToken());
  there.read(PREFACE_BYTES);
  serveOwned(there, process, channelIsOver, () => undefined);
  return [await opening, there];
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
}

describe("a process's stream", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("takes its process with it when it is cut off", async () => {
    const { process, signals } = endlessProcess();
    const [, there] = await owner(process, () => false);
    there.destroy();
    await settled();
    expect(signals).toEqual([9]);
  });

  it("lets it live when it is detached", async () => {
    const { process, signals } = endlessProcess();
    const [host] = await owner(process, () => false);
    void host.detach();
    await settled();
    vi.advanceTimersByTime(60_000);
    expect(signals).toEqual([]);
  });

  it("that is lost with the whole channel leaves it ten seconds to be claimed again", async () => {
    const [claimed, lost] = [endlessProcess(), endlessProcess()];
    for (const { process } of [claimed, lost]) {
      const [, there] = await owner(process, () => true);
      there.destroy();
    }
    await settled();
    vi.advanceTimersByTime(9_000);
    await owner(claimed.process, () => true);
    expect(lost.signals).toEqual([]);
    vi.advanceTimersByTime(2_000);
    expect(lost.signals).toEqual([9]);
    expect(claimed.signals).toEqual([]);
  });

  it("is one at a time", async () => {
    const { process } = endlessProcess();
    await owner(process, () => false);
    await expect(owner(process, () => false)).rejects.toMatchObject({ code: "KATA_PROCESS_LOST" });
  });
});
