import { AgentRpcError, type grpc, RpcStatus, type RuntimeSpec } from "@kata-ts/agent-protocol";
import { describe, expect, it } from "vitest";
import type { Agent } from "../ports/agent.ts";
import { createInGuest, execInGuest } from "./in-guest.ts";

/** Replies say nothing. */
const EMPTY: never = undefined as never;

/** As the original's agent: it does not serve our own calls, and keeps what it gets. */
function contractAgent(): { readonly agent: Agent; readonly told: grpc.CreateContainerRequest.$Properties[] } {
  const told: grpc.CreateContainerRequest.$Properties[] = [];
  const unheardOf = (): Promise<never> => Promise.reject(new AgentRpcError(RpcStatus.Unimplemented, "unknown method"));
  const agent: Partial<Agent> = {
    createFromConfig: unheardOf,
    execFromConfig: unheardOf,
    createContainer: (request): Promise<never> => {
      told.push(request);
      return Promise.resolve(EMPTY);
    },
    execProcess: (): Promise<never> => Promise.resolve(EMPTY),
  };
  return { agent: agent as Agent, told };
}

const SPEC: RuntimeSpec = {
  ociVersion: "1.0.2",
  process: { cwd: "/", args: ["sh"], user: { uid: 0, gid: 0 } },
  root: { path: "/r" },
  hooks: { prestart: [{ path: "/usr/bin/dockerd", args: ["libnetwork-setkey"] }] },
  linux: { namespaces: [{ type: "pid" }] },
};

describe("a guest with the original's agent", () => {
  it("is asked for a container without a warning, and runs none of the host's hooks", async () => {
    const { agent, told } = contractAgent();
    const { warnings } = await createInGuest(agent, { container_id: "c" }, SPEC);
    expect(warnings).toEqual([]);
    expect(told[0]?.OCI?.Hooks).toBeUndefined();
  });

  it.each([
    [undefined, "/kata/c"],
    ["", "/kata/c"],
    ["/docker/c", "/docker/c"],
    ["pod/c", "/pod/c"],
    ["system.slice:docker:c", "/docker/c"],
    ["kubepods-burstable.slice:cri-containerd:c", "/cri-containerd/c"],
  ])("gets a cgroup from the root where config.json has %j: updates write below it", async (path, cgroup) => {
    const { agent, told } = contractAgent();
    const linux = path === undefined ? {} : { cgroupsPath: path };
    await createInGuest(agent, { container_id: "c" }, { ...SPEC, linux });
    expect(told[0]?.OCI?.Linux?.CgroupsPath).toBe(cgroup);
  });

  it("runs another process without a word in the user's terminal", async () => {
    const { agent } = contractAgent();
    const names = { container_id: "c", exec_id: "e" };
    expect((await execInGuest(agent, names, { cwd: "/", args: ["true"] })).warnings).toEqual([]);
  });

  it("has root without a look at the container's files, and no user by name", async () => {
    const { agent, told } = contractAgent();
    const spec = { ...SPEC, process: { cwd: "/", args: ["sh"], user: { uid: 7, gid: 7 } } };
    expect((await createInGuest(agent, { container_id: "c" }, spec, { user: "0" })).warnings).toEqual([]);
    expect(told[0]?.OCI?.Process?.User).toMatchObject({ UID: 0, GID: 0 });
    for (const user of ["web", "1000", "0:adm"]) {
      await expect(createInGuest(agent, { container_id: "c" }, SPEC, { user })).rejects.toMatchObject({
        code: "KATA_UNSUPPORTED",
      });
    }
  });

  it("is warned for where something is lost, by its name", async () => {
    const { agent } = contractAgent();
    const resources = { unified: { "memory.high": "1" } };
    const spec = { ...SPEC, linux: { resources } } as unknown as RuntimeSpec;
    const { warnings } = await createInGuest(agent, { container_id: "c" }, spec);
    expect(warnings).toEqual([expect.stringContaining("linux.resources.unified")]);
    const process = { cwd: "/", args: ["true"], scheduler: { policy: "SCHED_BATCH" } };
    const started = await execInGuest(agent, { container_id: "c", exec_id: "e" }, process);
    expect(started.warnings).toEqual([expect.stringContaining("process.scheduler")]);
  });
});
