import { equal, rejects } from "node:assert/strict";
import { type grpc, isEndOfStream, RpcStatus } from "@kata-ts/agent-protocol";
import type { Agent } from "../ports/agent.ts";
import type { ComplianceCase } from "./compliance.ts";

/** An agent that serves no sandbox yet, and how to ask it for a container that runs until it is signalled. */
export interface AgentUnderTest {
  readonly agent: Agent;
  readonly sandbox: grpc.CreateSandboxRequest.$Properties;
  readonly container: (id: string) => grpc.CreateContainerRequest.$Properties;
}

const SIGKILL = 9;

/** The rules of Agent that the runtime relies on. Each needs a fresh guest. */
export const agentCompliance: readonly ComplianceCase<AgentUnderTest>[] = [
  {
    rule: "answers a check and tells its versions",
    check: async ({ agent }) => {
      equal((await agent.check({})).status, 1);
      equal((await agent.version({})).grpc_version, "0.0.1");
    },
  },
  {
    rule: "wants a sandbox before containers, and one only",
    check: async ({ agent, sandbox, container }) => {
      await rejects(agent.createContainer(container("a")), { status: RpcStatus.FailedPrecondition });
      await agent.createSandbox(sandbox);
      await rejects(agent.createSandbox(sandbox), { status: RpcStatus.AlreadyExists });
      await agent.destroySandbox({});
      await agent.createSandbox(sandbox);
    },
  },
  {
    rule: "knows containers by id, each once",
    check: async ({ agent, sandbox, container }) => {
      await agent.createSandbox(sandbox);
      const unknown = { container_id: "unknown", exec_id: "unknown" };
      await rejects(agent.startContainer(unknown), { status: RpcStatus.NotFound });
      await rejects(agent.signalProcess({ ...unknown, signal: SIGKILL }), { status: RpcStatus.NotFound });
      await rejects(agent.waitProcess(unknown), { status: RpcStatus.NotFound });
      await rejects(agent.readStdout({ ...unknown, len: 1 }), { status: RpcStatus.NotFound });
      await agent.createContainer(container("a"));
      await rejects(agent.createContainer(container("a")), { status: RpcStatus.AlreadyExists });
      await agent.removeContainer({ container_id: "a" });
      await agent.createContainer(container("a"));
    },
  },
  {
    rule: "runs a process until it is signalled, ends its outputs, and gives the status to all who wait",
    check: async ({ agent, sandbox, container }) => {
      await agent.createSandbox(sandbox);
      await agent.createContainer(container("a"));
      const process = { container_id: "a", exec_id: "a" };
      const waiting = [agent.waitProcess(process), agent.waitProcess(process)];
      await agent.startContainer({ container_id: "a" });
      await agent.signalProcess({ ...process, signal: SIGKILL });
      await rejects(agent.readStdout({ ...process, len: 100 }), isEndOfStream);
      await rejects(agent.readStderr({ ...process, len: 100 }), isEndOfStream);
      for (const wait of waiting) equal((await wait).status, 128 + SIGKILL);
      await agent.signalProcess({ ...process, signal: SIGKILL });
      equal((await agent.waitProcess(process)).status, 128 + SIGKILL);
    },
  },
];
