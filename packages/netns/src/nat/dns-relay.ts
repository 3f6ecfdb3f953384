import { createSocket, type Socket as DatagramSocket, type RemoteInfo } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { listenTcp, openDatagrams } from "@kata-ts/linux";
import { inNetworkNamespace } from "../namespace.ts";
import type { AnsweredAddresses } from "./answered-addresses.ts";
import { thinned } from "./decision-limit.ts";
import type { EgressDecision } from "./decisions.ts";
import { DnsCode, type DnsQuestion, DnsType, encodeEmptyAnswer, parseQuery, withId } from "./dns-message.ts";
import { answerStream } from "./dns-stream.ts";
import { askUpstream, hostResolvers } from "./dns-upstream.ts";
import { allowedPorts, type EgressRules } from "./egress-policy.ts";
import { isReachable, ownAddresses } from "./reachable.ts";

const PORT = 53;
/** What one guest may have under way: more datagrams are dropped, more connections closed. */
const MAX_QUERIES = 128;
const MAX_CONNECTIONS = 32;
const IDLE_MS = 10_000;
/** Answers of these types lead to addresses that no rule lets through: names have IPv4 addresses here. */
const WITHHELD: readonly number[] = [DnsType.AAAA, DnsType.SVCB, DnsType.HTTPS];

export interface DnsRelayOptions {
  /** The network namespace that it listens in, and its address there. */
  readonly namespace: string;
  readonly address: string;
  readonly rules: "all" | EgressRules;
  readonly answered: AnsweredAddresses;
  /** The host's, read for each question. */
  readonly resolvConf: string;
  /** Called for questions for names; floods of them are thinned. */
  readonly onDecision: (decision: EgressDecision) => void;
}

/**
 * The resolver of one guest. It listens in the guest's router, asks the host's resolvers from the host's network, and answers
 * names that the guest may call, once the router lets their addresses through. Others do not exist.
 */
export class DnsRelay {
  readonly #options: DnsRelayOptions;
  readonly #onDecision: DnsRelayOptions["onDecision"];
  readonly #datagrams: DatagramSocket;
  readonly #server: Server;
  readonly #connections: Set<Socket> = new Set();
  #queries = 0;

  /** @throws LinuxError when the address is not there */
  constructor(options: DnsRelayOptions) {
    this.#options = options;
    this.#onDecision = thinned(options.onDecision);
    const { namespace, address } = options;
    const [udp, tcp] = inNetworkNamespace(namespace, () => [
      openDatagrams({ address, port: PORT }),
      listenTcp(address, PORT, MAX_CONNECTIONS),
    ]);
    this.#datagrams = createSocket("udp4", (query, from) => {
      void this.#serveDatagram(query, from);
    });
    this.#datagrams.on("error", () => undefined);
    this.#datagrams.bind({ fd: udp }).unref();
    this.#server = createServer((socket) => {
      void this.#serveConnection(socket);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.listen({ fd: tcp }).unref();
  }

  close(): void {
    this.#datagrams.close();
    this.#server.close();
    for (const socket of this.#connections) socket.destroy();
  }

  async #serveDatagram(query: Buffer, { address, port }: RemoteInfo): Promise<void> {
    const answer = await this.#answer(query, "udp");
    if (answer === undefined) return;
    // It may have been closed meanwhile.
    try {
      this.#datagrams.send(answer, port, address);
    } catch {
      return;
    }
  }

  async #serveConnection(socket: Socket): Promise<void> {
    socket.unref();
    this.#connections.add(socket);
    socket.on("error", () => undefined);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    try {
      await answerStream(socket, (query) => this.#answer(query, "tcp"));
      socket.end();
    } catch {
      socket.destroy();
    } finally {
      this.#connections.delete(socket);
    }
  }

  async #answer(query: Buffer, transport: "udp" | "tcp"): Promise<Buffer | undefined> {
    const question = parseQuery(query);
    if (question === undefined || this.#queries >= MAX_QUERIES) return undefined;
    this.#queries += 1;
    try {
      return await this.#answerQuestion(question, transport);
    } catch {
      return encodeEmptyAnswer(question, DnsCode.serverFailure);
    } finally {
      this.#queries -= 1;
    }
  }

  async #answerQuestion(question: DnsQuestion, transport: "udp" | "tcp"): Promise<Buffer> {
    const { rules, answered, resolvConf } = this.#options;
    const ports = rules === "all" ? [] : allowedPorts(rules, question.name);
    if (rules !== "all") {
      const verdict = ports.length === 0 ? "refused" : "allowed";
      this.#onDecision({ verdict, protocol: "dns", name: question.name });
      // Resolvers take this answer at once for the last word; one that says "refused" lets some of them ask again.
      if (verdict === "refused") return encodeEmptyAnswer(question, DnsCode.noSuchName);
      if (WITHHELD.includes(question.type)) return encodeEmptyAnswer(question, DnsCode.noError);
    }
    const answer = await askUpstream(question, hostResolvers(resolvConf), transport);
    if (answer === undefined) return encodeEmptyAnswer(question, DnsCode.serverFailure);
    if (rules !== "all") {
      const own = ownAddresses();
      const reachable = answer.addresses.filter(({ address }) => isReachable(address, own));
      await answered.permit(reachable, ports);
    }
    return withId(answer.message, question.id);
  }
}
