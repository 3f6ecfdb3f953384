import type { Duplex } from "node:stream";
import { YamuxSessionClosed } from "@kata-ts/agent-protocol";

/** Opens a stream to the host. Rejects while the host cannot be reached. */
export type OpenStream = () => Duplex | Promise<Duplex>;

/** How long a stream waits for the host to offer a connection. */
const OFFER_DEADLINE_MS = 2_000;
/** The host offers as many as it needs; more would be a mistake of its. */
const MAX_OFFERS = 16;

/**
 * Streams that the guest opens to the host: over the yamux session of the time, or over connections that the host has offered,
 * each of which is one stream.
 */
export class HostStreams {
  session: { open(): Duplex } | undefined;
  readonly #offers: Duplex[] = [];
  readonly #waiting: ((offer: Duplex) => void)[] = [];

  /** @throws YamuxSessionClosed while the host is not there */
  open(): Duplex | Promise<Duplex> {
    return this.session?.open() ?? this.#offers.shift() ?? this.#nextOffer();
  }

  /** Takes over a connection for a later stream. */
  offer(connection: Duplex): void {
    const taker = this.#waiting.shift();
    if (taker !== undefined) {
      taker(connection);
      return;
    }
    if (this.#offers.length >= MAX_OFFERS) {
      connection.destroy();
      return;
    }
    this.#offers.push(connection);
    const forget = (): void => {
      const index = this.#offers.indexOf(connection);
      if (index !== -1) this.#offers.splice(index, 1);
      if (!this.#offers.includes(connection)) connection.off("end", forget).off("close", forget);
    };
    connection.once("end", forget).once("close", forget);
  }

  #nextOffer(): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const take = (offer: Duplex): void => {
        clearTimeout(timer);
        resolve(offer);
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(new YamuxSessionClosed("the host has not connected yet"));
      }, OFFER_DEADLINE_MS);
      this.#waiting.push(take);
    });
  }
}
