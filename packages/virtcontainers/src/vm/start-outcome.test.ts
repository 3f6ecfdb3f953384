import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { outcomeOf, type Patience } from "./start-outcome.ts";

/** What is made of an answer. */
function answered(text: string): Promise<unknown> {
  return outcomeWith((peer) => peer.end(text), { pid: undefined, silenceMs: 10_000 });
}

async function outcomeWith(answer: (peer: Socket) => void, patience: Patience): Promise<unknown> {
  const directory = mkdtempSync(join(tmpdir(), "outcome-"));
  const peers: Socket[] = [];
  const server = createServer((peer: Socket) => {
    peers.push(peer);
    answer(peer);
  });
  try {
    server.listen(join(directory, "control"));
    await once(server, "listening");
    const control = connect(join(directory, "control"));
    const outcome = await outcomeOf(control, patience);
    control.destroy();
    return outcome;
  } finally {
    for (const peer of peers) peer.destroy();
    server.close();
    rmSync(directory, { recursive: true });
  }
}

it("a proxy's answer is read, and its silence", async () => {
  expect(await answered('{"ok":true}\n')).toEqual({ ok: true });
  expect(await answered('{"ok":false,"code":"KATA_QMP","message":"no"}\n')).toMatchObject({ code: "KATA_QMP" });
  expect(await answered("")).toBeUndefined();
});

it.each(["{\n", "null\n", '{"ok":"yes"}\n', '{"ok":false}\n'])(
  "an answer that is none is a failed start: %j",
  async (text) => {
    expect(await answered(text)).toEqual({
      ok: false,
      code: "KATA_PROXY",
      message: expect.stringMatching(/^its answer cannot be used: /) as string,
    });
  },
);

describe("a proxy that is silent", () => {
  const silenceMs = 100;

  it("is waited for while a process of its VM works, longer than one that sleeps, and not for ever", {
    timeout: 60_000,
  }, async () => {
    const waits = async (program: string): Promise<number> => {
      const proxy = spawn("sh", ["-c", `${program} & wait`], { detached: true });
      await once(proxy, "spawn");
      const began = performance.now();
      try {
        expect(await outcomeWith(() => undefined, { pid: proxy.pid, silenceMs })).toBeUndefined();
        return performance.now() - began;
      } finally {
        process.kill(-(proxy.pid ?? 0), "SIGKILL");
        await once(proxy, "exit");
      }
    };
    const [asleep, atWork] = [await waits("sleep 1000"), await waits("while :; do :; done")];
    expect(asleep).toBeGreaterThanOrEqual(silenceMs * 0.9);
    expect(atWork).toBeGreaterThan(5 * silenceMs);
  });

  it("is heard when its answer comes late, after it has worked", async () => {
    const proxy = spawn("sh", ["-c", "while :; do :; done"]);
    await once(proxy, "spawn");
    const answerLate = (peer: Socket): void => {
      setTimeout(() => peer.write('{"ok":true}\n'), 5 * silenceMs);
    };
    try {
      expect(await outcomeWith(answerLate, { pid: proxy.pid, silenceMs })).toEqual({ ok: true });
    } finally {
      proxy.kill("SIGKILL");
      await once(proxy, "exit");
    }
  });
});
