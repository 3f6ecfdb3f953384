import { connectAgent, preloadCodecs, withFallback } from "@kata-ts/agent-protocol";
import { dial } from "@kata-ts/linux";
import type { GuestProcess, ProcessAddress } from "./guest-process.ts";
import { PolledProcess } from "./polled-process.ts";
import { StreamedProcess } from "./streamed-process.ts";

/**
 * Opens the streams of a process that another program started: over a process stream where the agent has such, over the
 * 1.x contract where not.
 *
 * @throws AgentRpcError when there is no such process
 */
export async function openProcess(agentUrl: string, address: ProcessAddress): Promise<GuestProcess> {
  const agent = connectAgent(agentUrl, { dial });
  try {
    const request = { container_id: address.containerId, exec_id: address.execId };
    const ticket = agent.openStream(request).then(({ token }) => token);
    const token = await withFallback<Uint8Array | undefined>(ticket, () => Promise.resolve(undefined));
    if (token === undefined) {
      await preloadCodecs(["readStdout"]); // With all that it calls: kata-shim is about to change its root.
      return new PolledProcess(agent, address, () => {
        agent.close();
      });
    }
    agent.close();
    return await StreamedProcess.open(agentUrl, token);
  } catch (error) {
    agent.close();
    throw error;
  }
}
