import type { Duplex, Readable, Writable } from "node:stream";
import { CAUSES, type Descriptor, type EndCause, Kind, ProcessStreamError } from "./frame.ts";
import { GuestInput } from "./guest-input.ts";
import { GuestOutput } from "./guest-output.ts";
import { Link } from "./link.ts";
import { encodePreface } from "./preface.ts";

const MAX_STATUS = 255;
const SIGKILL = 9;
/** As long as for the agent's answer to a call. */
const OPEN_DEADLINE_MS = 60_000;

/** A terminal's size in characters. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export interface OpenOptions {
  /** Milliseconds that the guest has to take the stream: a minute by default. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** The stream ended before the process did: the guest, or its agent, is gone. */
export class ProcessLost extends Error {
  readonly code = "KATA_PROCESS_LOST";
  override readonly name = "ProcessLost";

  constructor(cause: Error | undefined, message = "the guest's process was lost") {
    super(message, cause === undefined ? {} : { cause });
  }
}

/**
 * The host's end of a process stream. It owns the process: should it end without detach(), the guest kills the process.
 *
 * @example
 * const process = await HostProcessStream.open(connect("/run/…/proxy.sock"), token);
 * process.stdout.pipe(output);
 * const status = await process.exited;
 */
export class HostProcessStream {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The exit status, or 128 + signal, known after both outputs. Rejects with ProcessLost. */
  readonly exited: Promise<number>;
  readonly #link: Link;
  readonly #attached = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<number>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #outputs: readonly [GuestOutput, GuestOutput];
  readonly #stdin: GuestInput;
  #cause: EndCause | undefined;
  #isLetGo = false;

  /**
   * Resolves when the guest knows the process.
   *
   * @throws ProcessLost when it does not, has no such streams, or does not say so in time; the signal's reason. The connection is
   *   closed then, and the process is killed by it
   */
  static async open(
    connection: Duplex,
    token: Uint8Array,
    { deadlineMs = OPEN_DEADLINE_MS, signal }: OpenOptions = {},
  ): Promise<HostProcessStream> {
    connection.write(encodePreface(token));
    const stream = new HostProcessStream(connection);
    const giveUp = (reason: unknown): void => {
      stream.#attached.reject(reason);
      stream.close();
    };
    const onAbort = (): void => {
      giveUp(signal?.reason);
    };
    const late = `the guest has not taken the stream of its process within ${String(deadlineMs / 1000)} s`;
    const timer = setTimeout(() => {
      giveUp(new ProcessLost(undefined, late));
    }, deadlineMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    try {
      await stream.#attached.promise;
      return stream;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  private constructor(connection: Duplex) {
    this.exited = this.#exited.promise;
    this.exited.catch(() => undefined);
    this.#attached.promise.catch(() => undefined);
    const link = new Link(connection, {
      data: (descriptor, piece) => {
        this.#output(descriptor).arrive(piece);
      },
      end: (descriptor) => {
        this.#output(descriptor).finish();
      },
      control: (kind, body) => {
        this.#onControl(kind, body);
      },
      closed: (error) => {
        this.#onClosed(error);
      },
    });
    this.#link = link;
    this.#stdin = new GuestInput(link);
    this.#outputs = [new GuestOutput(link, 1), new GuestOutput(link, 2)];
    this.stdin = this.#stdin;
    [this.stdout, this.stderr] = this.#outputs;
  }

  /** Known once it has exited; undefined with an agent that does not say. */
  get cause(): EndCause | undefined {
    return this.#cause;
  }

  resize({ rows, columns }: TerminalSize): void {
    const body = Buffer.alloc(4);
    body.writeUInt16BE(rows, 0);
    body.writeUInt16BE(columns, 2);
    this.#link.control(Kind.resize, body);
  }

  /** @param signal by number */
  signal(signal: number): void {
    this.#link.control(Kind.signal, Buffer.from([signal]));
  }

  /** Kills the process with what it has started; by an agent that does not know how, the process alone. */
  killSession(): void {
    this.#link.control(Kind.killSession);
    this.signal(SIGKILL);
  }

  /** The terminal on our side is gone: the guest's hangs up, as a real one would. */
  hangUp(): void {
    this.#link.control(Kind.hangUp);
  }

  /**
   * Lets the process live on without us, and says so to all that wait for it. Resolves when the guest knows, or is lost: the process may
   * have another stream then. Where it has ended before that, `exited` has its status.
   */
  detach(): Promise<void> {
    this.#isLetGo = true;
    this.#link.control(Kind.detach);
    this.#link.finish();
    return this.#closed.promise;
  }

  /** Gives the stream up; a process that still runs is killed by it. */
  close(): void {
    this.#link.destroy();
  }

  #output(descriptor: Descriptor): GuestOutput {
    if (descriptor === 0) throw new ProcessStreamError("the guest sent data for standard input");
    const [stdout, stderr] = this.#outputs;
    return descriptor === 1 ? stdout : stderr;
  }

  #onControl(kind: number, body: Buffer): void {
    if (kind === Kind.attached) this.#attached.resolve();
    else if (kind === Kind.cause && body.length === 1) this.#cause = causeOf(body.readUInt8());
    else if (kind === Kind.exit && body.length === 4) this.#onExit(body.readUInt32BE());
    else if (kind === Kind.stop) this.#stdin.readerGone();
    // Kinds that we do not know are a later version's, and none of ours depends on them.
  }

  // A hostile guest may send anything; an exit status is a byte, and what is none must not become a success.
  #onExit(status: number): void {
    this.#exited.resolve(Math.min(status, MAX_STATUS));
    for (const output of this.#outputs) output.finish();
    this.#stdin.readerGone();
    this.#link.finish();
  }

  #onClosed(error: Error | undefined): void {
    this.#closed.resolve();
    const lost = this.#isLetGo ? new ProcessLost(error, "the guest's process was let go of") : new ProcessLost(error);
    this.#attached.reject(lost);
    this.#exited.reject(lost);
    void this.exited.then(
      () => undefined,
      () => {
        for (const output of this.#outputs) if (!output.readableEnded) output.destroy(lost);
        this.#stdin.readerGone();
      },
    );
  }
}

function causeOf(number: number): EndCause | undefined {
  return Object.hasOwn(CAUSES, number) ? CAUSES[number as keyof typeof CAUSES] : undefined;
}
