import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { encodePortPreface } from "@kata-ts/agent-protocol/network-streams";
import { descriptorOf, originalPort } from "@kata-ts/linux";
import { redirectLoopback, undoRedirectLoopback } from "@kata-ts/netns";

const MAX_CONNECTIONS = 256;

export interface PortForwarderOptions {
  /** To the guest; undefined while it cannot be reached. */
  readonly openStream: () => Duplex | undefined;
  /** Where the port that connections are led to is written down, for whoever has to take that back. */
  readonly noteFile: string;
}

/**
 * A pod's loopback, as its engine knows it, is in the namespace on the host; its containers' is in the guest. Who
 * connects to 127.0.0.1 there is connected to the same port in the guest. It works in this process's namespace.
 */
export class PortForwarder {
  readonly #server: Server;
  readonly #options: PortForwarderOptions;
  readonly #port: number;

  private constructor(server: Server, options: PortForwarderOptions) {
    this.#server = server;
    this.#options = options;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** @throws NetnsError KATA_NETWORK without iptables; nothing is left then */
  static async start(options: PortForwarderOptions): Promise<PortForwarder> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      accept(socket, options.openStream);
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const forwarder = new PortForwarder(server, options);
    try {
      writeFileSync(options.noteFile, String(forwarder.#port), { mode: 0o600 });
      await redirectLoopback(undefined, forwarder.#port);
      return forwarder;
    } catch (error) {
      await forwarder.stop();
      throw error;
    }
  }

  /** Takes back what leads connections here. The connections end with the VM. */
  async stop(): Promise<void> {
    this.#server.close();
    await undoRedirectLoopback(undefined, this.#port).catch(() => undefined);
    rmSync(this.#options.noteFile, { force: true });
  }
}

function accept(socket: Socket, openStream: () => Duplex | undefined): void {
  socket.on("error", () => undefined);
  const port = portOf(socket);
  const stream = port === undefined ? undefined : openStream();
  if (port === undefined || stream === undefined) {
    socket.destroy();
    return;
  }
  stream.on("error", () => undefined);
  stream.once("close", () => socket.destroy());
  socket.once("close", () => stream.destroy());
  stream.write(encodePortPreface(port));
  socket.pipe(stream).pipe(socket);
}

/** Undefined for one that was made to this port itself. */
function portOf(socket: Socket): number | undefined {
  try {
    return originalPort(descriptorOf(socket));
  } catch {
    return undefined;
  }
}
