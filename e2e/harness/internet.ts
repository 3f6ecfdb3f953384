import { createSocket, type Socket } from "node:dgram";
import { createServer, type Server } from "node:net";
import { listenTcp, openDatagrams } from "@kata-ts/linux";
import { inNetworkNamespace } from "@kata-ts/netns";
import type { TestNetwork } from "./network.ts";

/** An address of the Internet with a name server, and with a server at port 80 and 81; and one with a server only. */
export const SERVER = "198.51.100.1";
export const OTHER = "198.51.100.2";
/** The host's address there. */
export const HOST = "203.0.113.1";
const ROUTER = "203.0.113.2";
/** For how long answers of the name server are good. */
const LIFETIME_SECONDS = 60;
const UNSPECIFIC_PORT = 9;

/** A host's namespace, and beyond it another that is all of the Internet: every name there has the address SERVER. */
export class Internet implements Disposable {
  /** Paths of the namespaces. */
  readonly host: string;
  readonly beyond: string;
  /** What has arrived at port 9 of SERVER, as text, from any sender. */
  readonly datagrams: string[] = [];
  /** The names that were asked for. */
  readonly questions: string[] = [];
  readonly #servers: (Server | Socket)[] = [];

  private constructor(host: string, beyond: string) {
    this.host = host;
    this.beyond = beyond;
  }

  static async create(network: TestNetwork): Promise<Internet> {
    const [host, beyond] = [await network.namespace(), await network.namespace()];
    await network.veth(
      { namespace: host, name: "host0", addresses: [`${HOST}/24`] },
      { namespace: beyond, name: "net0", addresses: [`${ROUTER}/24`] },
    );
    await network.ip(host, `route add default via ${ROUTER}`);
    await network.ip(beyond, `addr add ${SERVER}/32 dev lo`, `addr add ${OTHER}/32 dev lo`);
    const internet = new Internet(host, beyond);
    internet.#serveNames();
    for (const [address, port] of [
      [SERVER, 80],
      [SERVER, 81],
      [OTHER, 80],
    ] as const)
      internet.#serve(address, port);
    internet.#serveDatagrams(UNSPECIFIC_PORT, (message) => internet.datagrams.push(message.toString()));
    return internet;
  }

  /** The smallest answer of HTTP, with the address of its client. */
  #serve(address: string, port: number): void {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => {
        const body = `hello ${String(socket.remoteAddress)}\n`;
        socket.end(`HTTP/1.0 200 OK\r\ncontent-length: ${String(body.length)}\r\n\r\n${body}`);
      });
    });
    server.listen({ fd: inNetworkNamespace(this.beyond, () => listenTcp(address, port, 8)) });
    this.#servers.push(server);
  }

  #serveNames(): void {
    const answer = (query: Buffer): Buffer => {
      const end = query.indexOf(0, 12) + 5;
      this.questions.push(nameIn(query));
      const record = Buffer.alloc(16);
      record.writeUInt16BE(0xc00c);
      record.writeUInt32BE(0x0001_0001, 2);
      record.writeUInt32BE(LIFETIME_SECONDS, 6);
      record.writeUInt16BE(4, 10);
      record.set(SERVER.split(".").map(Number), 12);
      const message = Buffer.concat([query.subarray(0, end), record]);
      message.writeUInt16BE(0x8180, 2);
      message.writeUInt32BE(0x0001_0001, 4);
      message.fill(0, 8, 12);
      return message;
    };
    this.#serveDatagrams(53, (query, send) => {
      send(answer(query));
    });
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", (data: Buffer) => {
        const message = answer(data.subarray(2));
        socket.end(Buffer.concat([Buffer.of(message.length >> 8, message.length & 0xff), message]));
      });
    });
    server.listen({ fd: inNetworkNamespace(this.beyond, () => listenTcp(SERVER, 53, 8)) });
    this.#servers.push(server);
  }

  #serveDatagrams(port: number, onMessage: (message: Buffer, send: (answer: Buffer) => void) => void): void {
    const socket = createSocket("udp4");
    socket.bind({ fd: inNetworkNamespace(this.beyond, () => openDatagrams({ address: SERVER, port })) });
    socket.on("message", (message, from) => {
      onMessage(message, (answer) => {
        socket.send(answer, from.port, from.address);
      });
    });
    this.#servers.push(socket);
  }

  [Symbol.dispose](): void {
    for (const server of this.#servers) server.close();
  }
}

function nameIn(query: Buffer): string {
  const labels: string[] = [];
  for (let place = 12; query[place] !== 0 && place < query.length; place += 1 + (query[place] ?? 0)) {
    labels.push(query.toString("latin1", place + 1, place + 1 + (query[place] ?? 0)));
  }
  return labels.join(".");
}
