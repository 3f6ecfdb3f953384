import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, isIPv4, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { DnsTransport, readDnsMessage, writeDnsMessage } from "@kata-ts/agent-protocol/network-streams";
import { invalidArgument } from "../errors.ts";
import type { OpenStream } from "../host-streams.ts";

const PORT = 53;
/** More at a time are dropped, as a busy server does; their senders ask again. */
const MAX_QUERIES = 128;
const QUERY_DEADLINE_MS = 15_000;
const MAX_CONNECTIONS = 32;

/**
 * A DNS server on the guest's loopback that knows nothing itself: each question goes to the host, which asks the
 * resolver that the container's engine runs in its network namespace there.
 */
export class DnsRelay {
  readonly #openStream: OpenStream;
  readonly #listening: Set<string> = new Set();
  #queries = 0;

  /** @param openStream to the host */
  constructor(openStream: OpenStream) {
    this.#openStream = openStream;
  }

  /** Idempotent. @throws AgentRpcError for an address that is not of the loopback */
  async listen(address: string): Promise<void> {
    if (!isIPv4(address) || !address.startsWith("127.")) throw invalidArgument(`Bad loopback address "${address}"`);
    if (this.#listening.has(address)) return;
    const udp = createSocket("udp4");
    udp.on("message", (query, from) => {
      void this.#answer(udp, query, from);
    });
    udp.bind(PORT, address);
    await once(udp, "listening");
    udp.on("error", () => undefined);
    const tcp = createServer({ allowHalfOpen: true }, (socket) => {
      void this.#connect(socket);
    });
    tcp.maxConnections = MAX_CONNECTIONS;
    tcp.listen(PORT, address);
    await once(tcp, "listening");
    this.#listening.add(address);
  }

  /** A question that cannot be asked stays without an answer, as in any network. */
  async #answer(udp: UdpSocket, query: Buffer, from: RemoteInfo): Promise<void> {
    if (this.#queries >= MAX_QUERIES) return;
    this.#queries += 1;
    let stream: Duplex | undefined;
    const timer = setTimeout(() => stream?.destroy(), QUERY_DEADLINE_MS);
    try {
      stream = await this.#open(DnsTransport.udp);
      writeDnsMessage(stream, query);
      const answer = await readDnsMessage(stream);
      if (answer !== undefined) udp.send(answer, from.port, from.address);
    } catch {
      return;
    } finally {
      this.#queries -= 1;
      clearTimeout(timer);
      stream?.destroy();
    }
  }

  async #connect(socket: Socket): Promise<void> {
    socket.on("error", () => undefined);
    socket.setTimeout(QUERY_DEADLINE_MS, () => socket.destroy());
    try {
      const stream = await this.#open(DnsTransport.tcp);
      if (socket.destroyed) stream.destroy();
      stream.once("close", () => socket.destroy());
      socket.once("close", () => stream.destroy());
      socket.pipe(stream).pipe(socket);
    } catch {
      socket.destroy();
    }
  }

  async #open(transport: number): Promise<Duplex> {
    const stream = await this.#openStream();
    stream.on("error", () => undefined);
    stream.write(Buffer.of(transport));
    return stream;
  }
}
