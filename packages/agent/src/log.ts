import { writeSync } from "node:fs";
import { AGENT_LOG_PREFIX } from "@kata-ts/agent-protocol/guest-contract";

/**
 * The agent's log: one line per event on the guest's console, which the host keeps. Nothing of a container's output.
 * Written at once: Node's own stream would be loaded for it at boot.
 */
export function log(message: string): void {
  try {
    writeSync(2, `${AGENT_LOG_PREFIX}${message}\n`);
  } catch {
    // A console that is full or gone must not stop the agent.
  }
}
