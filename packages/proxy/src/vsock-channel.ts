import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { OFFER } from "@kata-ts/agent-protocol/network-streams";
import { dial } from "@kata-ts/linux";
import type { GuestChannel } from "./guest-channel.ts";

export interface VsockChannelOptions {
  /** Where the agent listens, as `dial` takes it. */
  readonly agentUrl: string;
  /** Resolves when it can be reached from where this process is to be confined; at once where no file leads to it. */
  readonly ready?: Promise<void> | undefined;
  /** Takes a stream that the guest opens, at its first byte. */
  readonly onGuestStream: (stream: Duplex) => void;
}

/** Connections that wait for the guest to use them: it asks for the time and for a name at once, at most. */
const OFFERS = 2;
/** Connections that a guest may have in use: questions for names, and room to spare. */
const MAX_CONNECTIONS = 256;
/** Between two attempts to reach a guest that boots, or that has dropped an offer. */
const RETRY_MS = 20;

/**
 * Each stream is a vsock connection that the host makes: runtime and shims make their own. For the guest's streams this
 * process offers connections and replaces each that the guest uses. So no guest has a port of the host to connect to, and no
 * runtime has to share the host's ports with another one.
 */
export class VsockChannel implements GuestChannel {
  readonly ended: Promise<void>;
  readonly connected: Promise<void>;
  readonly #options: VsockChannelOptions;
  readonly #ended = Promise.withResolvers<void>();
  readonly #connections: Set<Socket> = new Set();
  #agentUrl: string;
  #room = Promise.withResolvers<void>();
  #keepsRunning = true;
  #closed = false;

  constructor(options: VsockChannelOptions) {
    this.#options = options;
    this.#agentUrl = options.agentUrl;
    this.ended = this.#ended.promise;
    this.connected = Promise.race([options.ready ?? Promise.resolve(), this.ended]);
    for (let index = 0; index < OFFERS; index++) void this.#keepOffering();
  }

  /** @param agentUrl where the agent is from now on, as this process sees files */
  moveTo(agentUrl: string): void {
    this.#agentUrl = agentUrl;
  }

  openStream(): Promise<Duplex | undefined> {
    return this.#connect();
  }

  unref(): void {
    this.#keepsRunning = false;
    for (const connection of this.#connections) connection.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const connection of this.#connections) connection.destroy();
    this.#room.resolve();
    this.#ended.resolve();
  }

  async #keepOffering(): Promise<void> {
    while (!this.#closed) {
      const connection = await this.#connect();
      connection?.write(OFFER);
      if (connection !== undefined && (await isUsed(connection))) this.#options.onGuestStream(connection);
      else await delay(RETRY_MS, undefined, { ref: this.#keepsRunning });
    }
  }

  async #connect(): Promise<Socket | undefined> {
    while (this.#connections.size >= MAX_CONNECTIONS && !this.#closed) await this.#room.promise;
    if (this.#closed) return undefined;
    try {
      const connection = await dial(this.#agentUrl);
      this.#keep(connection);
      return connection;
    } catch {
      return undefined;
    }
  }

  #keep(connection: Socket): void {
    connection.on("error", () => undefined);
    this.#connections.add(connection);
    connection.once("close", () => {
      this.#connections.delete(connection);
      this.#room.resolve();
      this.#room = Promise.withResolvers();
    });
    if (this.#closed) connection.destroy();
    if (!this.#keepsRunning) connection.unref();
  }
}

/** Waits for the guest's first byte. @returns false when the connection ends before it */
function isUsed(connection: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (): void => {
      connection.off("readable", settle).off("close", settle);
      resolve(connection.readableLength > 0);
      if (connection.readableLength === 0) connection.destroy();
    };
    connection.on("readable", settle).on("close", settle);
  });
}
