import { connect, type Socket } from "node:net";
import { descriptorOf, sendDescriptor } from "@kata-ts/linux";
import { QemuError } from "../errors.ts";
import { LineReader } from "./line-reader.ts";

export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface QmpCallOptions {
  /** Milliseconds; 10 000 by default. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** Goes with the command, over the same socket. The caller closes it. */
  readonly descriptor?: number;
}

/** Far above what QEMU answers of the largest machine, and little enough to be parsed in one turn of the event loop. */
const MAX_LINE_BYTES = 256 * 1024;
const DEADLINE_MS = 10_000;

interface Pending {
  readonly command: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A connection to QEMU's monitor (QMP). Replies are matched by id, events may come between them. QEMU serves one
 * connection at a time: hold it no longer than needed.
 *
 * @example
 * await using qmp = await QmpClient.connect("/run/vm/qmp.sock");
 * await qmp.execute("query-status");
 */
export class QmpClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #pending: Map<number, Pending> = new Map();
  readonly #listeners: Set<(event: QmpEvent) => void> = new Set();
  readonly #greeting = Promise.withResolvers<void>();
  #nextId = 1;
  #closed: QemuError | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const lines = new LineReader(MAX_LINE_BYTES, (line) => {
      this.#onLine(line);
    });
    socket.on("data", (chunk: Buffer) => {
      // Node would read two MiB in one turn of its loop, all of which may be messages.
      socket.pause();
      setImmediate(() => socket.resume());
      this.#guard(() => {
        lines.push(chunk);
      });
    });
    socket.on("error", (error) => {
      this.#fail(new QemuError("KATA_QMP_CLOSED", `QMP connection: ${error.message}`, { cause: error }));
    });
    socket.on("close", () => {
      this.#fail(new QemuError("KATA_QMP_CLOSED", "QEMU closed its QMP connection"));
    });
    this.#greeting.promise.catch(() => undefined);
  }

  /** @throws QemuError KATA_QMP_CLOSED when nothing listens there, KATA_QMP_TIMEOUT when it does not greet */
  static async connect(path: string, options: QmpCallOptions = {}): Promise<QmpClient> {
    return QmpClient.over(connect(path), options);
  }

  /** As connect, over a socket that is there already. It is closed with the client. */
  static async over(socket: Socket, options: QmpCallOptions = {}): Promise<QmpClient> {
    const client = new QmpClient(socket);
    try {
      await client.#within("the greeting", client.#greeting.promise, options);
      await client.execute("qmp_capabilities", {}, options);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** @returns the command's result; @throws QemuError */
  async execute(
    command: string,
    args: Readonly<Record<string, unknown>> = {},
    options: QmpCallOptions = {},
  ): Promise<unknown> {
    if (this.#closed !== undefined) throw this.#closed;
    const id = this.#nextId++;
    const reply: Promise<unknown> = new Promise((resolve, reject) => {
      this.#pending.set(id, { command, resolve, reject });
    });
    this.#send(`${JSON.stringify({ execute: command, arguments: args, id })}\n`, options.descriptor);
    try {
      return await this.#within(command, reply, options);
    } finally {
      this.#pending.delete(id);
    }
  }

  /** Calls back for every event until the returned function is called. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The next event that matches. Call it before the command that causes the event. */
  async waitForEvent(matches: (event: QmpEvent) => boolean, options: QmpCallOptions = {}): Promise<QmpEvent> {
    const found = Promise.withResolvers<QmpEvent>();
    const stop = this.onEvent((event) => {
      if (matches(event)) found.resolve(event);
    });
    try {
      return await this.#within("an event", found.promise, options);
    } finally {
      stop();
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.closed) return;
    const closed = new Promise((resolve) => this.#socket.once("close", resolve));
    this.close();
    await closed;
  }

  #send(line: string, descriptor: number | undefined): void {
    if (descriptor === undefined) this.#socket.write(line);
    // The descriptor belongs to the bytes that it is sent with: nothing may still wait to be written before them.
    else if (this.#socket.writableLength === 0) sendDescriptor(descriptorOf(this.#socket), descriptor, line);
    else throw new QemuError("KATA_QMP_PROTOCOL", "a descriptor was to be sent while another command was");
  }

  #onLine(line: string): void {
    // eslint-disable-next-line no-restricted-syntax -- QEMU's message; each field is checked where it is used
    const message = JSON.parse(line) as Record<string, unknown>;
    if ("QMP" in message) this.#greeting.resolve();
    else if (typeof message.event === "string") this.#onEvent(message.event, message.data);
    else this.#onReply(message);
  }

  #onEvent(event: string, data: unknown): void {
    const shaped: QmpEvent = { event, data: (data ?? {}) as QmpEvent["data"] };
    for (const listener of [...this.#listeners]) listener(shaped);
  }

  #onReply(message: Record<string, unknown>): void {
    const pending = this.#pending.get(Number(message.id));
    if (pending === undefined) return; // The answer to a command whose caller gave up.
    if ("return" in message) {
      pending.resolve(message.return);
      return;
    }
    const error = (message.error ?? {}) as { class?: string; desc?: string };
    const detail = `${error.class ?? "error"}: ${error.desc ?? "no description"}`;
    pending.reject(new QemuError("KATA_QMP_COMMAND", `QMP ${pending.command}: ${detail}`));
  }

  async #within<T>(what: string, promise: Promise<T>, options: QmpCallOptions): Promise<T> {
    const { signal } = options;
    signal?.throwIfAborted();
    const limit = options.deadlineMs ?? DEADLINE_MS;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new QemuError("KATA_QMP_TIMEOUT", `QEMU did not give ${what} within ${String(limit)} ms`));
    }, limit);
    const onAbort = (): void => {
      late.reject(signal?.reason as Error);
    };
    const onClosed = Promise.withResolvers<never>();
    const onSocketClosed = (): void => {
      onClosed.reject(this.#closed ?? new QemuError("KATA_QMP_CLOSED", "QEMU closed its QMP connection"));
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#socket.once("close", onSocketClosed);
    try {
      return await Promise.race([promise, late.promise, onClosed.promise]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      this.#socket.off("close", onSocketClosed);
    }
  }

  #guard(body: () => void): void {
    try {
      body();
    } catch (error) {
      const reason =
        error instanceof QemuError ? error : new QemuError("KATA_QMP_PROTOCOL", `not QMP: ${String(error)}`);
      this.#fail(reason);
      this.close();
    }
  }

  #fail(reason: QemuError): void {
    this.#closed ??= reason;
    this.#greeting.reject(this.#closed);
    for (const pending of this.#pending.values()) pending.reject(this.#closed);
    this.#pending.clear();
  }
}
