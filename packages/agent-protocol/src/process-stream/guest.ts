import type { Duplex } from "node:stream";
import { CAUSES, type Descriptor, type EndCause, Kind, MAX_DATA_BYTES } from "./frame.ts";
import { Link } from "./link.ts";

/** Bytes of standard input that may be on their way to a process that does not read. */
const INPUT_WINDOW: number = 1024 * 1024;

/** What a guest process offers to its stream. */
export interface ServedProcess {
  /** The next bytes of an output, at most `limit`; undefined at its end. Aborted, it answers none and takes none. */
  read(descriptor: 1 | 2, limit: number, signal: AbortSignal): Promise<Buffer | undefined>;
  /** The reader of an output is gone: the process gets SIGPIPE for its next byte. */
  closeOutput(descriptor: 1 | 2): void;
  /** Resolves when the process, or its pipe, has taken all of it; false when its reader has closed. */
  write(pieces: readonly Buffer[]): Promise<boolean>;
  closeInput(): void;
  signal(signal: number): void;
  /** Kills it with what it has started. */
  killSession(): void;
  resize(rows: number, columns: number): void;
  hangUp(): void;
  /** Exit status, or 128 + signal. */
  readonly exited: Promise<number>;
  /** Known once it has exited. */
  readonly cause?: EndCause | undefined;
  /** The host lets it live on without a stream, until there is another one. */
  letGo?(): void;
  /** Called once its status was sent: no call asks for it again. */
  forget(): void;
}

export type StreamEnd =
  /** The process ended and its status was sent. */
  | "exited"
  /** The host let it live on. */
  | "detached"
  /** The stream was cut off. */
  | "lost";

/**
 * Serves one process over one stream until either ends. The status is sent only after both outputs have been sent to
 * their ends.
 */
export async function serveProcessStream(connection: Duplex, process: ServedProcess): Promise<StreamEnd> {
  const closed = Promise.withResolvers<StreamEnd>();
  const input = new InputQueue(process);
  const over = new AbortController();
  const link = new Link(connection, {
    data: (_descriptor, piece) => {
      input.push(piece);
    },
    end: () => {
      input.end();
    },
    control: (kind, body) => {
      if (kind !== Kind.detach) {
        onControl(process, kind, body);
        return;
      }
      over.abort();
      closed.resolve("detached");
    },
    closed: () => {
      over.abort(); // What the process writes from now on is for the next stream.
      closed.resolve("lost");
    },
  });
  input.connect(link);
  link.control(Kind.attached);
  link.grant(0, INPUT_WINDOW);
  const sent = sendAll(link, process, over.signal).then((all) => (all ? ("exited" as const) : closed.promise));
  const end = await Promise.race([sent, closed.promise]);
  if (end === "exited") process.forget();
  if (end === "detached") {
    process.letGo?.();
    link.finish(); // The host waits for it.
  }
  return end;
}

/** False when the stream ended first. */
async function sendAll(link: Link, process: ServedProcess, over: AbortSignal): Promise<boolean> {
  await Promise.all([pump(link, process, 1, over), pump(link, process, 2, over)]);
  if (isOver(link, over)) return false;
  const status = await process.exited;
  if (isOver(link, over)) return false;
  const cause = Object.entries(CAUSES).find(([, name]) => name === process.cause)?.[0];
  if (cause !== undefined) link.control(Kind.cause, Buffer.of(Number(cause)));
  const body = Buffer.alloc(4);
  body.writeUInt32BE(status);
  link.control(Kind.exit, body);
  link.finish();
  return true;
}

/** It has ended, or was let go of. */
function isOver(link: Link, over: AbortSignal): boolean {
  return link.closed || over.aborted;
}

async function pump(link: Link, process: ServedProcess, descriptor: 1 | 2, over: AbortSignal): Promise<void> {
  for (;;) {
    const credit = await link.credit(descriptor);
    if (credit === 0 || isOver(link, over)) return;
    const data = await process.read(descriptor, Math.min(credit, MAX_DATA_BYTES), over);
    if (isOver(link, over)) return;
    if (data === undefined) {
      link.end(descriptor);
      return;
    }
    await link.send(descriptor, [data]);
  }
}

function onControl(process: ServedProcess, kind: number, body: Buffer): void {
  if (kind === Kind.signal && body.length === 1) process.signal(body.readUInt8());
  else if (kind === Kind.resize && body.length === 4) process.resize(body.readUInt16BE(0), body.readUInt16BE(2));
  else if (kind === Kind.killSession) process.killSession();
  else if (kind === Kind.hangUp) process.hangUp();
  else if (kind === Kind.stop + 1) process.closeOutput(1);
  else if (kind === Kind.stop + 2) process.closeOutput(2);
}

const STDIN: Descriptor = 0;

/**
 * Writes what arrives in order. What arrives while a write is under way goes with the next one: a serial port delivers
 * in small pieces. Credit is given back as the process takes the data, so this holds at most the window.
 */
class InputQueue {
  readonly #process: ServedProcess;
  #link: Link | undefined;
  #pieces: Buffer[] = [];
  #writing = false;
  #ended = false;
  #open = true;
  #taken = 0;

  constructor(process: ServedProcess) {
    this.#process = process;
  }

  connect(link: Link): void {
    this.#link = link;
  }

  push(piece: Buffer): void {
    if (!this.#open) return;
    this.#pieces.push(piece);
    if (!this.#writing) void this.#write();
  }

  end(): void {
    this.#ended = true;
    if (!this.#writing) this.#process.closeInput();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    // A turn of the loop brings more pieces of the same frame.
    await new Promise(setImmediate);
    while (this.#pieces.length > 0 && this.#open) {
      const pieces = this.#pieces;
      this.#pieces = [];
      this.#open = await this.#process.write(pieces);
      if (this.#open) this.#giveBack(pieces.reduce((sum, { length }) => sum + length, 0));
    }
    this.#writing = false;
    if (!this.#open) this.#link?.control(Kind.stop);
    else if (this.#ended) this.#process.closeInput();
  }

  #giveBack(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < INPUT_WINDOW / 2) return;
    this.#link?.grant(STDIN, this.#taken);
    this.#taken = 0;
  }
}
