import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { DnsTransport, readBytes, readDnsMessage, writeDnsMessage } from "@kata-ts/agent-protocol/network-streams";
import { connectTcp, openDatagrams } from "@kata-ts/linux";
import { inNetworkNamespace } from "@kata-ts/netns";
import { engineResolver, openResolvConf, readOpenResolvConf, readResolvConf } from "./engine-resolver.ts";

const PORT = 53;
/** What one guest may have under way; more are refused. */
const MAX_STREAMS = 160;
const DEADLINE_MS = 15_000;

/** Which resolver a guest may ask. */
export interface DnsSource {
  /** One that is there from the start. */
  readonly resolver?: string;
  /** A resolv.conf of the host, or a descriptor of it: the resolver is the engine's, while that names it. */
  readonly resolvConf?: string | number | undefined;
}

/**
 * Asks one resolver what a guest wants to know. A guest can reach nothing else by it. Without a resolver no question is answered.
 */
export class DnsForwarder {
  source: DnsSource;
  /**
   * A path to the network namespace that it is asked from, where an engine's resolver answers for the containers of this one
   * alone; without it, that of this process. Entering it takes powers that kata-proxy may not have.
   */
  namespace: string | undefined;
  #streams = 0;

  constructor(source: DnsSource = {}) {
    this.source = source;
  }

  /**
   * Holds the resolv.conf open, for a process that loses sight of it. Engines write to the file that there is: containers have
   * it mounted.
   */
  keepResolvConf(): void {
    const { resolvConf } = this.source;
    if (typeof resolvConf === "string") this.source = { ...this.source, resolvConf: openResolvConf(resolvConf) };
  }

  /** Serves a stream that the guest opened, to its end. Never rejects. */
  async serve(stream: Duplex): Promise<void> {
    stream.on("error", () => undefined);
    const address = resolverOf(this.source);
    if (address === undefined || this.#streams >= MAX_STREAMS) {
      stream.destroy();
      return;
    }
    this.#streams += 1;
    const timer = setTimeout(() => stream.destroy(), DEADLINE_MS);
    try {
      const transport = (await readBytes(stream, 1))?.[0];
      if (transport === DnsTransport.udp) await askOnce(stream, address, this.namespace);
      else if (transport === DnsTransport.tcp) await connectThrough(stream, address, this.namespace);
    } catch {
      // The guest sees its stream end, and its programs ask again.
    } finally {
      clearTimeout(timer);
      stream.destroy();
      this.#streams -= 1;
    }
  }
}

/** Engines change the file while a container runs: it is read for each question. */
function resolverOf({ resolver, resolvConf }: DnsSource): string | undefined {
  if (resolver !== undefined || resolvConf === undefined) return resolver;
  return engineResolver(typeof resolvConf === "string" ? readResolvConf(resolvConf) : readOpenResolvConf(resolvConf));
}

async function askOnce(stream: Duplex, address: string, namespace: string | undefined): Promise<void> {
  const query = await readDnsMessage(stream);
  if (query === undefined) return;
  const socket = datagramsIn(namespace);
  try {
    socket.connect(PORT, address);
    await once(socket, "connect");
    socket.send(query);
    const gone = once(stream, "close").then(() => undefined);
    const answer = (await Promise.race([once(socket, "message"), gone])) as [Buffer] | undefined;
    if (answer === undefined) return;
    writeDnsMessage(stream, answer[0]);
    stream.end();
    stream.resume();
    await gone;
  } finally {
    socket.close();
  }
}

async function connectThrough(stream: Duplex, address: string, namespace: string | undefined): Promise<void> {
  const socket = connectIn(namespace, address);
  socket.on("error", () => stream.destroy());
  stream.once("close", () => socket.destroy());
  stream.pipe(socket).pipe(stream);
  await once(socket, "close");
}

// Node's own sockets are made a moment after the call, when the thread is back in its own namespace.

function datagramsIn(namespace: string | undefined): DatagramSocket {
  const socket = createSocket("udp4");
  return namespace === undefined ? socket : socket.bind({ fd: inNetworkNamespace(namespace, openDatagrams) });
}

function connectIn(namespace: string | undefined, address: string): Socket {
  return namespace === undefined
    ? connect({ host: address, port: PORT, allowHalfOpen: true })
    : inNetworkNamespace(namespace, () => connectTcp(address, PORT));
}
