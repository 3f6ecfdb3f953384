import type { Duplex } from "node:stream";
import { readInTurns } from "../turns.ts";
import {
  type Descriptor,
  encodeHeader,
  type FrameHandlers,
  Kind,
  ProcessStreamError,
  StreamFrameReader,
} from "./frame.ts";

export interface LinkHandlers extends Pick<FrameHandlers, "control"> {
  /** A piece of data, within the credit that was given. */
  data(descriptor: Descriptor, piece: Buffer): void;
  end(descriptor: Descriptor): void;
  /** The stream is over; with an error unless both sides ended it. */
  closed(error: Error | undefined): void;
}

/** As much as a frame of yamux carries, however that was cut on its way. */
const BYTES_PER_TURN = 256 * 1024;

/**
 * Both ends of a process stream have this in common: frames, and credit for each direction of data. A peer that sends
 * more than it was given credit for ends the stream.
 */
export class Link {
  readonly #connection: Duplex;
  readonly #handlers: LinkHandlers;
  /** What we may still send, by descriptor. */
  readonly #credit: [number, number, number] = [0, 0, 0];
  /** What the peer may still send, by descriptor. */
  readonly #granted: [number, number, number] = [0, 0, 0];
  readonly #waiting: ((() => void) | undefined)[] = [];
  readonly #stopped: Set<Descriptor> = new Set();
  #closed = false;
  #finished = false;

  constructor(connection: Duplex, handlers: LinkHandlers) {
    this.#connection = connection;
    this.#handlers = handlers;
    const reader = new StreamFrameReader({
      data: (descriptor, piece) => {
        this.#onData(descriptor, piece);
      },
      end: (descriptor) => {
        handlers.end(descriptor);
      },
      control: (kind, body) => {
        this.#onControl(kind, body);
      },
    });
    const take = (chunk: Buffer): void => {
      this.#receive(reader, chunk);
    };
    readInTurns(connection, take, { bytes: BYTES_PER_TURN });
    connection.once("error", (error) => {
      this.#close(error);
    });
    connection.once("close", () => {
      this.#close(undefined);
    });
    connection.once("end", () => {
      this.#close(undefined);
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  control(kind: number, body: Buffer = Buffer.alloc(0)): void {
    if (this.#closed || this.#finished) return;
    this.#connection.write(Buffer.concat([encodeHeader(kind, body.length), body]));
  }

  /** Lets the peer send so many bytes more. */
  grant(descriptor: Descriptor, bytes: number): void {
    this.#granted[descriptor] += bytes;
    const body = Buffer.alloc(4);
    body.writeUInt32BE(bytes);
    this.control(Kind.credit + descriptor, body);
  }

  /** How many bytes may be sent now: resolves once there are some; 0 when no more will be taken. */
  async credit(descriptor: Descriptor): Promise<number> {
    while (this.#credit[descriptor] === 0 && !this.#stopped.has(descriptor) && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#waiting[descriptor] = resolve;
      });
    }
    return this.#stopped.has(descriptor) || this.#closed ? 0 : this.#credit[descriptor];
  }

  /** Sends pieces of data as one frame, within the credit. Resolves when the connection has taken it. */
  async send(descriptor: Descriptor, pieces: readonly Buffer[]): Promise<void> {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#credit[descriptor] -= length;
    this.#connection.cork();
    let ready = this.#connection.write(encodeHeader(descriptor, length));
    for (const piece of pieces) ready = this.#connection.write(piece);
    this.#connection.uncork();
    if (!ready && !this.#closed) await this.#drained();
  }

  end(descriptor: Descriptor): void {
    if (!this.#stopped.has(descriptor)) this.control(descriptor);
  }

  /** Ends the stream after what was sent: a write behind it would fail, and what is on its way be lost with that. */
  finish(): void {
    this.#finished = true;
    if (!this.#closed) this.#connection.end();
  }

  destroy(error?: Error): void {
    this.#connection.destroy(error);
    this.#close(error);
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#connection.off("drain", settle);
        this.#connection.off("close", settle);
        resolve();
      };
      this.#connection.on("drain", settle);
      this.#connection.on("close", settle);
    });
  }

  #receive(reader: StreamFrameReader, chunk: Buffer): void {
    if (this.#closed) return;
    try {
      reader.push(chunk);
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #onData(descriptor: Descriptor, piece: Buffer): void {
    this.#granted[descriptor] -= piece.length;
    if (this.#granted[descriptor] < 0) throw new ProcessStreamError(`more data than credit on ${String(descriptor)}`);
    this.#handlers.data(descriptor, piece);
  }

  #onControl(kind: number, body: Buffer): void {
    const descriptor = (kind & 0x0f) as Descriptor;
    if (kind >= Kind.credit && kind <= Kind.credit + 2 && body.length === 4) {
      this.#credit[descriptor] += body.readUInt32BE();
      this.#wake(descriptor);
    } else if (kind >= Kind.stop && kind <= Kind.stop + 2) {
      this.#stopped.add(descriptor);
      this.#wake(descriptor);
      this.#handlers.control(kind, body);
    } else {
      this.#handlers.control(kind, body);
    }
  }

  #wake(descriptor: Descriptor): void {
    const waiting = this.#waiting[descriptor];
    this.#waiting[descriptor] = undefined;
    waiting?.();
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const descriptor of [0, 1, 2] as const) this.#wake(descriptor);
    this.#handlers.closed(error);
  }
}
