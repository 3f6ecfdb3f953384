import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dial, identifyProcess, isAlive } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import type { Call } from "../../packages/agent-protocol/src/rpc/caller.ts";
import { TtrpcCaller } from "../../packages/agent-protocol/src/rpc/ttrpc/ttrpc-caller.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";

/** The first field of a message of containerd's, a string. */
function named(id: string, ...more: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from([0x0a, id.length]), Buffer.from(id), Buffer.from(more)]);
}

/** The first field of a message of containerd's, a number. */
function numberIn(message: Uint8Array): number {
  if (message[0] !== 0x08) throw new Error("no number comes first");
  let value = 0;
  for (const [index, byte] of message.subarray(1).entries()) {
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) break;
  }
  return value;
}

describe("ttrpc, spoken to containerd's own shim", () => {
  expectCleanHost();

  it("is understood: replies, refusals by their codes, calls at once, and the end", async () => {
    const bundle = mkdtempSync(join(tmpdir(), "ttrpc-"));
    writeFileSync(join(bundle, "config.json"), "{}");
    await runCommand("mkfifo", [join(bundle, "log")]);
    const log = openSync(join(bundle, "log"), constants.O_RDWR | constants.O_NONBLOCK); // It waits for a reader.
    const id = `ttrpc-${String(process.pid)}`;
    const args = ["-namespace", "kata-e2e", "-id", id, "-address", join(bundle, "no-containerd.sock"), "start"];
    const env = { PATH: "/usr/sbin:/usr/bin", TTRPC_ADDRESS: join(bundle, "no-containerd.sock.ttrpc") };
    const started = await runCommand("containerd-shim-runc-v2", args, { cwd: bundle, env });
    const [, path = ""] = /unix:\/\/(\S+)/.exec(started.stdout) ?? [];
    const caller = new TtrpcCaller(() => dial(`unix://${path}`));
    const call = (method: string, request: Uint8Array): Promise<Uint8Array> =>
      caller.call({
        ...LIMITS,
        path: `/containerd.task.v2.Task/${method}`,
        request,
        expiresAt: performance.now() + 10_000,
      });
    try {
      const shim = identifyProcess(numberIn(await call("Connect", named(id))));
      expect(isAlive(shim)).toBe(true);
      await expect(call("State", named("nobody"))).rejects.toMatchObject({ status: 5 });
      await expect(call("Nonsense", named(id))).rejects.toMatchObject({ status: 12 });
      const pids = await Promise.all(Array.from({ length: 50 }, () => call("Connect", named(id))));
      expect(new Set(pids.map(numberIn))).toEqual(new Set([shim.pid]));
      await call("Shutdown", named(id, 0x10, 1)).catch(() => undefined); // It may be gone before it has answered.
      while (isAlive(shim)) await new Promise(setImmediate);
    } finally {
      caller.close();
      closeSync(log);
      rmSync(bundle, { recursive: true });
    }
  });
});

const LIMITS: Pick<Call, "signal" | "waitForReady"> = { signal: undefined, waitForReady: false };
