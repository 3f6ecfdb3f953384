import { closeSync, constants, openSync, writeSync } from "node:fs";
import { inspect } from "node:util";
import type { CallLog, LogLevel, SystemLog } from "@kata-ts/runtime";

/** How much of a message is written: a fifo takes a line of up to 4096 bytes at once or not at all. */
const MAX_BYTES = 3_000;

/**
 * The shim's log: a fifo in the bundle, which containerd copies to its own. Lines are dropped while it is full, because
 * containerd has gone: a pod does not wait for its log.
 */
export class ShimLog implements CallLog, AsyncDisposable {
  readonly #fd: number | undefined;
  #fields: Readonly<Record<string, string>>;
  #debug: boolean;
  #system: SystemLog | undefined;

  /** @param path of the fifo; without it, or where there is none, nothing is logged */
  constructor(path: string | undefined, id: string, debug: boolean) {
    this.#fd = path === undefined ? undefined : openFifo(path);
    this.#fields = { id, runtime: "io.containerd.kata.v2" };
    this.#debug = debug;
  }

  debug(message: string): void {
    if (this.#debug) this.#write("debug", message);
  }

  /** A call of containerd's: its begin, and its end once that is known. */
  followCall(method: string, containerId: string): (refusal?: Error) => void {
    this.debug(`${containerId}: ${method} begins`);
    return (refusal) => {
      this.debug(`${containerId}: ${method} ${refusal === undefined ? "is answered" : `fails: ${refusal.message}`}`);
    };
  }

  warning(message: string): void {
    this.#write("warning", message);
  }

  error(message: string): void {
    this.#write("error", message);
  }

  /** Of an error that ends the shim. Its stack alone would not do: it has the message on Node, and not on QuickJS. */
  endedBy(error: Error): void {
    this.error(`the pod ends by an error of its shim: ${inspect(error)}`);
  }

  enableDebug(): void {
    this.#debug = true;
  }

  /** Of a pod's containers, which all write here: the latest. */
  about(fields: Readonly<Record<string, string>>): void {
    this.#fields = { ...this.#fields, ...fields };
  }

  /** The pod's first container says where. */
  alsoTo(system: SystemLog): void {
    this.#system ??= system;
  }

  #write(level: LogLevel, message: string): void {
    this.#system?.writeLater(level, message, this.#fields);
    if (this.#fd === undefined) return;
    const time = new Date().toISOString();
    const fields = Object.entries(this.#fields)
      .map(([name, value]) => `${name}=${value}`)
      .join(" ");
    const text = JSON.stringify(message.slice(0, MAX_BYTES));
    try {
      writeSync(this.#fd, `time="${time}" level=${level} msg=${text} ${fields}\n`);
    } catch {
      // Full, or without a reader.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#system?.flush();
    if (this.#fd !== undefined) closeSync(this.#fd);
  }
}

/** For reading, too: then a reader that goes away ends nothing, and another one may come. */
function openFifo(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}
