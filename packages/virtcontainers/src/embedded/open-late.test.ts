import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { katats } from "@kata-ts/agent-protocol";
import { PREFACE_BYTES, serveProcessStream } from "@kata-ts/agent-protocol/process-stream";
import { expect, it } from "vitest";
import { FakeAgent } from "../testing/fake-agent.ts";
import { fakePorts } from "../testing/fake-ports.ts";
import { Sandbox } from "./sandbox.ts";

type Served = Parameters<typeof serveProcessStream>[1];

/** It writes nothing, and never ends. */
function endless(): Served {
  const nothing = (): void => undefined;
  return {
    read: (_descriptor, _limit, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          resolve(Buffer.alloc(0));
        });
      }),
    write: () => Promise.resolve(true),
    ...{ closeOutput: nothing, closeInput: nothing, signal: nothing, killSession: nothing },
    ...{ resize: nothing, hangUp: nothing, forget: nothing },
    exited: new Promise(nothing),
  };
}

it("a process whose stream comes after the opening was given up is let go of, too: its guest would kill it with the stream", async () => {
  const directory = mkdtempSync(join(tmpdir(), "open-late-"));
  const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const end = Promise.withResolvers<string>();
  const server = createServer((connection) => {
    void (async () => {
      while (connection.readableLength < PREFACE_BYTES) await once(connection, "readable");
      connection.read(PREFACE_BYTES);
      asked.resolve();
      await answer.promise;
      end.resolve(await serveProcessStream(connection, endless()));
    })();
  });
  await once(server.listen(join(directory, "agent.sock")), "listening");
  const agent = new FakeAgent();
  const ports = fakePorts(() => ({
    ...agent.connect(),
    openStream: async () => new katats.v1.ProcessTicket({ token: Buffer.alloc(16, 7) }),
  }));
  try {
    const sandbox = await Sandbox.create({ id: "late", detachable: true }, ports);
    await (await sandbox.createContainer({ rootfs: directory, id: "web", args: ["sleep", "1000"] })).start();
    await sandbox.detach();
    const [vm] = await ports.hypervisor.found();
    if (vm?.detached === undefined) throw new Error("it is detached");
    ports.hypervisor.note(vm.state.dir, {
      state: { ...vm.state, agentUrl: `unix://${join(directory, "agent.sock")}` },
      detached: vm.detached.replace('"isStreamed":false', '"isStreamed":true'),
    });

    const limit = new AbortController();
    const opening = Sandbox.open("late", { signal: limit.signal }, ports);
    opening.catch(() => undefined);
    await asked.promise;
    limit.abort(new Error("enough"));
    await expect(opening).rejects.toThrow("enough");
    answer.resolve();
    expect(await end.promise).toBe("detached");
    for (const found of await Sandbox.list({}, ports)) await found.remove();
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
});
