import type { Server } from "node:net";
import { AGENT_VSOCK_PORT } from "@kata-ts/agent-protocol/guest-contract";
import { HOST_CID, listenVsock, vsockPeer } from "@kata-ts/linux";
import { log } from "./log.ts";
import { type StreamServices, serveStream } from "./serve.ts";

/**
 * Serves connections that the host makes to the agent's vsock port, each of which is one stream. Containers could connect,
 * too: vsock has no namespaces, and a guest may reach itself. Only the host is served.
 */
export function serveVsock(services: StreamServices, port: number = AGENT_VSOCK_PORT): Server {
  return listenVsock(port, (connection) => {
    const peer = peerOf(connection);
    if (peer === HOST_CID) {
      // The host's end of a connection ends with who has made it: it says nothing of the others.
      serveStream(connection, services, () => false);
      return;
    }
    if (peer !== undefined) log(`a vsock connection from context id ${String(peer)} was refused`);
    connection.destroy();
  });
}

/** Undefined for a connection that has ended already. */
function peerOf(connection: Parameters<typeof vsockPeer>[0]): number | undefined {
  try {
    return vsockPeer(connection).cid;
  } catch {
    return undefined;
  }
}
