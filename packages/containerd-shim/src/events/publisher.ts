import { setTimeout as delay } from "node:timers/promises";
import type { Forwarder, Happened } from "./forwarders.ts";
import type { TaskEvent } from "./task-events.ts";

/** As many as containerd's own shims keep. */
const MAX_WAITING = 2048;
const RETRY_MS = 1_000;

/**
 * Publishes events in their order. Those that containerd does not take, because it is being restarted, are kept and tried again;
 * what is above the limit then is dropped, the oldest first: after its restart containerd asks for the states of all tasks.
 */
export class Publisher implements AsyncDisposable {
  readonly #forwarder: Forwarder;
  readonly #warn: (message: string) => void;
  readonly #waiting: Happened[] = [];
  readonly #closing: AbortController = new AbortController();
  #sending: Promise<void> | undefined;

  constructor(forwarder: Forwarder, warn: (message: string) => void) {
    this.#forwarder = forwarder;
    this.#warn = warn;
  }

  publish(event: TaskEvent): void {
    this.#waiting.push({ event, at: new Date() });
    if (this.#waiting.length > MAX_WAITING) this.#drop();
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  /** Tries what waits once more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#sending;
    this.#forwarder[Symbol.dispose]();
  }

  async #send(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      try {
        await this.#forwarder.forward(next);
        if (this.#waiting[0] === next) this.#waiting.shift();
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        this.#warn(`${next.event.topic} waits: containerd did not take it: ${String(error)}`);
        await delay(RETRY_MS, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      }
    }
  }

  #drop(): void {
    const dropped = this.#waiting.shift();
    if (dropped !== undefined) this.#warn(`${dropped.event.topic} is dropped: containerd has not taken any for long`);
  }
}
