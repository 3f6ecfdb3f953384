import type { AgentClient } from "@kata-ts/agent-protocol";

/** What a sandbox asks of its guest: the Kata 1.x contract. */
export type Agent = AgentClient;

/** @param url as in VmState.agentUrl */
export type ConnectAgent = (url: string) => Agent;
