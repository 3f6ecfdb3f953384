import type { Response } from "@kata-ts/agent-protocol";

/** The agent's figures about a container's cgroup in the guest. */
export type GuestStats = Response<"statsContainer">;
