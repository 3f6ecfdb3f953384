import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { encodePortPreface } from "@kata-ts/agent-protocol/network-streams";
import { descriptorOf, listenLoopback, originalPort } from "@kata-ts/linux";
import { inNetworkNamespace, redirectLoopback, undoRedirectLoopback } from "@kata-ts/netns";
import type { GuestChannel } from "./guest-channel.ts";

const MAX_CONNECTIONS = 256;
const BACKLOG = 128;

export interface PortForwarderOptions {
  /** To the guest; undefined while it cannot be reached. */
  readonly openStream: GuestChannel["openStream"];
  /** A path to the network namespace whose loopback it is; without it, that of this process. */
  readonly namespace?: string | undefined;
  /** The file for the port that connections are redirected to, so that any process can undo the redirection. */
  readonly noteFile: string;
}

/**
 * A pod's loopback, as its engine knows it, is in the namespace on the host; its containers' is in the guest. Who
 * connects to 127.0.0.1 there is connected to the same port in the guest.
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
      void accept(socket, options.openStream);
    });
    server.maxConnections = MAX_CONNECTIONS;
    const { namespace } = options;
    const listen = (): number => listenLoopback(BACKLOG);
    server.listen({ fd: namespace === undefined ? listen() : inNetworkNamespace(namespace, listen) });
    await once(server, "listening");
    const forwarder = new PortForwarder(server, options);
    try {
      writeFileSync(options.noteFile, String(forwarder.#port), { mode: 0o600 });
      await redirectLoopback(namespace, forwarder.#port);
      return forwarder;
    } catch (error) {
      await forwarder.stop();
      throw error;
    }
  }

  /** Takes no more connections: whichever process takes the redirection back, the VM is gone. */
  close(): void {
    this.#server.close();
  }

  /** Takes back what leads connections here. The connections end with the VM. */
  async stop(): Promise<void> {
    this.close();
    await undoRedirectLoopback(this.#options.namespace, this.#port).catch(() => undefined);
    rmSync(this.#options.noteFile, { force: true });
  }
}

async function accept(socket: Socket, openStream: GuestChannel["openStream"]): Promise<void> {
  socket.on("error", () => undefined);
  const port = portOf(socket);
  const stream = port === undefined ? undefined : await openStream();
  stream?.on("error", () => undefined);
  if (port === undefined || stream === undefined || socket.destroyed) {
    socket.destroy();
    stream?.destroy();
    return;
  }
  stream.once("close", () => socket.destroy());
  socket.once("close", () => stream.destroy());
  stream.write(encodePortPreface(port));
  socket.pipe(stream).pipe(socket);
}

/** Undefined for a connection that was made to this port itself. */
function portOf(socket: Socket): number | undefined {
  try {
    return originalPort(descriptorOf(socket));
  } catch {
    return undefined;
  }
}
