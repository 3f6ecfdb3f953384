import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { duplexPair } from "node:stream";
import { YamuxSession } from "../../src/index.ts";

/** Accepts a server's end of a connection. */
type Serve = (connection: Duplex) => void;

/** Makes connections to a server, and gives the caller's end. */
export type Carrier = (serve: Serve, directory: string) => Promise<Carried>;

interface Carried {
  open(): Promise<Duplex>;
  close(): void;
}

/** One unix socket for each connection. */
export async function bySockets(serve: Serve, directory: string): Promise<Carried> {
  const path = join(directory, "back.sock");
  const server = createServer({ allowHalfOpen: true }, serve).listen(path);
  await once(server, "listening");
  return {
    open: async () => {
      const socket = connect(path);
      await once(socket, "connect");
      return socket;
    },
    close: () => {
      server.close();
    },
  };
}

/** One yamux session for all connections, as between host and guest. */
export async function byYamux(serve: Serve): Promise<Carried> {
  const [host, guest] = duplexPair();
  const session = new YamuxSession(host, { role: "client" });
  const other = new YamuxSession(guest, {
    role: "server",
    onStream: (stream) => {
      stream.on("error", () => undefined);
      serve(stream);
    },
  });
  return {
    open: async () => session.open(),
    close: () => {
      session.close();
      other.close();
    },
  };
}

/** A unix socket that leads to a server, as the proxy's does. A test can hold up what comes back, and cut it. */
export class Wire implements AsyncDisposable {
  readonly path: string;
  /** Connections that were made. */
  connections = 0;
  readonly #directory: string;
  readonly #carried: Carried;
  readonly #front: Server;
  readonly #pairs: Set<readonly [Socket, Duplex]> = new Set();
  #isHeld = false;

  private constructor(directory: string, carried: Carried) {
    this.#directory = directory;
    this.#carried = carried;
    this.path = join(directory, "front.sock");
    this.#front = createServer((socket) => void this.#relay(socket));
  }

  static async lay(carrier: Carrier, serve: Serve): Promise<Wire> {
    const directory = mkdtempSync(join(tmpdir(), "grpc-wire-"));
    const wire = new Wire(directory, await carrier(serve, directory));
    wire.#front.listen(wire.path);
    await once(wire.#front, "listening");
    return wire;
  }

  /** Passes nothing back to callers until `release`. */
  hold(): void {
    this.#isHeld = true;
    for (const [socket, back] of this.#pairs) back.unpipe(socket);
  }

  release(): void {
    this.#isHeld = false;
    for (const [socket, back] of this.#pairs) back.pipe(socket);
  }

  /** Ends all connections. */
  cut(): void {
    for (const pair of this.#pairs) for (const end of pair) end.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#carried.close();
    this.#front.close();
    await once(this.#front, "close");
    rmSync(this.#directory, { recursive: true });
  }

  async #relay(socket: Socket): Promise<void> {
    this.connections += 1;
    socket.on("error", () => undefined);
    const back = await this.#carried.open();
    back.on("error", () => undefined);
    const pair = [socket, back] as const;
    this.#pairs.add(pair);
    socket.once("close", () => {
      this.#pairs.delete(pair);
      back.destroy();
    });
    back.once("close", () => {
      socket.destroy();
    });
    socket.pipe(back);
    if (!this.#isHeld) back.pipe(socket);
  }
}
