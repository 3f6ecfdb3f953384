import { createServer, type Server, type Socket } from "node:net";
import type { Writable } from "node:stream";
import { type Flood, sendFlood } from "./send-flood.ts";

/** How to meet a connection: by a flood, not at all, or as the test has begun to do by itself. */
export type Meeting = Flood | "refused" | "served";
type Meet = (head: Buffer, socket: Socket) => Meeting | Promise<Meeting>;

/** An agent at a unix socket that floods each connection, whatever is called. */
export class FloodingServer implements Disposable {
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  readonly #flooded = Promise.withResolvers<undefined>();
  #sent = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param bytes after which it is enough */
  static async listen(path: string, bytes: number, meet: Meet): Promise<FloodingServer> {
    const server = createServer();
    const flooding = new FloodingServer(server);
    server.on("connection", (socket) => {
      flooding.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("data", (head: Buffer) => {
        socket.pause();
        void flooding.#send(socket, meet(head, socket), bytes);
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return flooding;
  }

  /** Resolves when enough was sent, or a connection takes no more. */
  get flooded(): Promise<void> {
    return this.#flooded.promise;
  }

  /** How many bytes were taken. */
  get sentBytes(): number {
    return this.#sent;
  }

  async #send(to: Writable, meeting: ReturnType<Meet>, bytes: number): Promise<void> {
    const flood = await meeting;
    if (flood === "served") return;
    if (flood === "refused") {
      to.destroy();
      return;
    }
    this.#sent += await sendFlood(to, flood, bytes - this.#sent);
    if (this.#sent >= bytes || !to.destroyed) this.#flooded.resolve(undefined);
  }

  [Symbol.dispose](): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
