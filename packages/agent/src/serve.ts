import type { Duplex } from "node:stream";
import { type AgentHandlers, createAgentServer, YamuxSession } from "@kata-ts/agent-protocol";

/**
 * Serves the contract over one connection of the host, until it goes away. Every connection is a new yamux session
 * with new stream ids; what the sandbox holds survives it.
 */
export async function serveChannel(channel: Duplex, handlers: AgentHandlers): Promise<void> {
  const server = createAgentServer(handlers);
  const session = new YamuxSession(channel, {
    role: "server",
    onStream: (stream) => {
      stream.on("error", () => undefined);
      server.serve(stream);
    },
  });
  try {
    await session.closed;
  } finally {
    server.close();
  }
}
