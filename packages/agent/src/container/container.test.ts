import { rmSync, writeFileSync } from "node:fs";
import { RpcStatus } from "@kata-ts/agent-protocol";
import { afterEach, describe, expect, it } from "vitest";
import type { Commands } from "../commands.ts";
import { Reaper } from "../reaper.ts";
import { Container } from "./container.ts";
import { OciRuntime } from "./oci-runtime.ts";
import { StreamTokens } from "./stream-tokens.ts";

const SHELL = { args: ["sh"], cwd: "/" };

describe("processes of a container", () => {
  const made: Container[] = [];

  afterEach(() => {
    for (const container of made.splice(0)) {
      for (const id of ["web", "shell"]) containerProcess(container, id)?.stdio.destroy();
      rmSync(container.bundle, { recursive: true });
    }
  });

  /** A container whose runtime starts processes that are none, once the test lets it. */
  async function create(exec: () => Promise<number>): Promise<Container> {
    let pid = 1_000_000_000;
    const runWith = async (_descriptors: unknown, _program: string, args: readonly string[]): Promise<number> => {
      const status = args.includes("exec") ? await exec() : 0;
      const pidFile = args[args.indexOf("--pid-file") + 1];
      if (status === 0) writeFileSync(pidFile ?? "", String(pid++));
      return status;
    };
    const runtime = new OciRuntime({ runWith } as unknown as Commands, "crun");
    const name = `unit-${String(process.pid)}`;
    const dependencies = { runtime, reaper: new Reaper(), streamTokens: new StreamTokens() };
    const container = new Container("web", name, dependencies);
    made.push(container);
    await container.create("web", { ociVersion: "1.0.2", process: SHELL }, { ociVersion: "1.0.2" });
    return container;
  }

  it("that are asked for with one id at the same time are one: the second is refused by name", async () => {
    const started = Promise.withResolvers<number>();
    const container = await create(() => started.promise);
    const both = [container.exec("shell", SHELL), container.exec("shell", SHELL)];
    const refused = { status: RpcStatus.AlreadyExists, message: "Process shell exists (container web)" };
    await expect(both[1]).rejects.toMatchObject(refused);
    started.resolve(0);
    const first = await both[0];
    expect(container.process("shell")).toBe(first);
  });

  it("give their id back where they cannot be started", async () => {
    const statuses = [1, 0];
    const container = await create(() => Promise.resolve(statuses.shift() ?? 1));
    await expect(container.exec("shell", SHELL)).rejects.toMatchObject({ status: RpcStatus.Internal });
    const process = await container.exec("shell", SHELL);
    expect(container.process("shell")).toBe(process);
  });
});

function containerProcess(container: Container, id: string) {
  try {
    return container.process(id);
  } catch {
    return undefined;
  }
}
