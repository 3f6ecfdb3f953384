import { connectAgent } from "@kata-ts/agent-protocol";
import { dial } from "@kata-ts/linux";
import type { ConnectAgent } from "@kata-ts/virtcontainers";

/** By a unix socket or by vsock, as the agent's URL says. */
export const reachAgent: ConnectAgent = (url) => connectAgent(url, { dial });
