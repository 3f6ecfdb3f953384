import { rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { YamuxSession, type YamuxStream } from "@kata-ts/agent-protocol";
import type { GuestChannel } from "./guest-channel.ts";

export interface RelayOptions {
  /** The unix socket that shims and runtime connect to. */
  readonly listenSocket: string;
  /** The unix socket of the guest's virtio-serial port. */
  readonly muxSocket: string;
  /** Takes streams that the guest opens; without it they are reset. */
  readonly onGuestStream?: (stream: Duplex) => void;
  /** The port is connected by the first connection, not from the start. */
  readonly waitsForClient?: boolean;
  /** Milliseconds that the port's socket may take to appear. */
  readonly connectDeadlineMs?: number;
}

/** Kata's proxy pings once a second and ignores what comes back; it keeps the channel from going idle. */
const HEARTBEAT_MS = 1_000;
const WINDOW = 4 * 1024 * 1024;
/** What a guest may make us hold: a few windows full. */
const MEMORY_BUDGET = 64 * 1024 * 1024;
/** Streams that a guest may have opened: questions for names, and room to spare. */
const MAX_GUEST_STREAMS = 256;

/**
 * Many unix connections over the guest's one serial channel: each becomes a yamux stream. Ends when the channel ends,
 * and then ends all its connections, so that no client waits for a dead guest.
 */
export class Relay implements GuestChannel {
  /** Resolves when the channel to the guest is gone, or the relay was closed. */
  readonly ended: Promise<void>;
  readonly connected: Promise<void>;
  readonly #server: Server;
  readonly #connections: Set<Socket> = new Set();
  readonly #ended = Promise.withResolvers<void>();
  readonly #connected = Promise.withResolvers<void>();
  #session: YamuxSession | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #channel: Socket | undefined;
  #keepsRunning = true;
  #closed = false;

  private constructor(server: Server) {
    this.#server = server;
    this.ended = this.#ended.promise;
    this.connected = this.#connected.promise;
  }

  /** Listens at once; connections wait for the guest's channel. */
  static async start(options: RelayOptions): Promise<Relay> {
    rmSync(options.listenSocket, { force: true });
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    const relay = new Relay(server);
    server.on("connection", (socket) => {
      relay.#accept(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.listenSocket, resolve);
    });
    const connectGuest = (): void => {
      relay.#connectGuest(options).catch(() => {
        relay.close();
      });
    };
    if (options.waitsForClient === true) server.once("connection", connectGuest);
    else connectGuest();
    return relay;
  }

  /** A stream of our own to the guest; undefined while there is no channel, or when the guest takes no more. */
  openStream(): YamuxStream | undefined {
    if (this.#closed || this.#session === undefined) return undefined;
    return openIfPossible(this.#session);
  }

  /** From now on nothing of it keeps this process running. */
  unref(): void {
    this.#keepsRunning = false;
    this.#server.unref();
    this.#channel?.unref();
    this.#heartbeat?.unref();
    for (const socket of this.#connections) socket.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#heartbeat);
    this.#server.close();
    this.#session?.close();
    for (const socket of this.#connections) socket.destroy();
    this.#connected.resolve();
    this.#ended.resolve();
  }

  async #connectGuest(options: RelayOptions): Promise<void> {
    const channel = await connectWhenThere(options.muxSocket, options.connectDeadlineMs ?? 10_000, () => this.#closed);
    const session = new YamuxSession(channel, {
      role: "client",
      window: WINDOW,
      memoryBudget: MEMORY_BUDGET,
      maxPeerStreams: MAX_GUEST_STREAMS,
      ...(options.onGuestStream === undefined ? {} : { onStream: options.onGuestStream }),
    });
    this.#session = session;
    this.#channel = channel;
    this.#connected.resolve();
    this.#heartbeat = setInterval(() => {
      session.heartbeat();
    }, HEARTBEAT_MS);
    if (!this.#keepsRunning) this.unref();
    for (const socket of this.#connections) this.#join(socket, session);
    await session.closed;
    this.close();
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket);
    if (!this.#keepsRunning) socket.unref();
    socket.once("close", () => this.#connections.delete(socket));
    socket.on("error", () => undefined);
    if (this.#closed) socket.destroy();
    else if (this.#session !== undefined) this.#join(socket, this.#session);
  }

  #join(socket: Socket, session: YamuxSession): void {
    const stream = openIfPossible(session);
    if (stream === undefined) {
      socket.destroy();
      return;
    }
    stream.on("error", () => socket.destroy());
    stream.once("close", () => socket.destroy());
    socket.once("close", () => stream.destroy());
    socket.pipe(stream).pipe(socket);
  }
}

/** A guest that says it goes away, or holds all streams, must not end the proxy by it. */
function openIfPossible(session: YamuxSession): YamuxStream | undefined {
  try {
    return session.open();
  } catch {
    return undefined;
  }
}

async function connectWhenThere(path: string, deadlineMs: number, closed: () => boolean): Promise<Socket> {
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await connectOnce(path);
    } catch (error) {
      if (closed() || performance.now() > giveUpAt) throw error;
    }
    await delay(5);
  }
}

function connectOnce(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
