import type { Socket } from "node:net";
import { inNamespace, openKernelEvents } from "@kata-ts/linux";

/** Engines make an interface in several steps: it is looked at once they pause. */
const QUIET_MS = 50;
/** Those that never pause do not put it off for ever. */
const LONGEST_MS = 500;

/**
 * Calls back after links, addresses or routes of a namespace have changed; changes that come together count once, and
 * those that come during a call make another one follow. Does not keep the process alive.
 */
export class NamespaceMonitor implements Disposable {
  readonly #namespace: string | undefined;
  readonly #onChange: () => Promise<void>;
  #events: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #firstOfBurst = 0;
  #busy = false;
  #again = false;

  /** @param namespace a path, which is needed when events have to be opened again; undefined: the calling thread's */
  constructor(namespace: string | undefined, onChange: () => Promise<void>) {
    this.#namespace = namespace;
    this.#onChange = onChange;
    this.#open();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    const events = this.#events;
    this.#events = undefined;
    events?.destroy();
  }

  #open(): void {
    const open = (): Socket => openKernelEvents("network");
    const events = this.#namespace === undefined ? open() : inNamespace("net", this.#namespace, open);
    this.#events = events;
    events.unref();
    events.on("data", () => {
      this.#changed();
    });
    // More events than could be kept: some are lost, and so it is time to look.
    events.on("error", () => {
      if (this.#events !== events) return;
      this.#open();
      this.#changed();
    });
  }

  #changed(): void {
    const now = performance.now();
    if (this.#timer === undefined) this.#firstOfBurst = now;
    clearTimeout(this.#timer);
    const wait = Math.max(0, Math.min(QUIET_MS, this.#firstOfBurst + LONGEST_MS - now));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#call();
    }, wait);
  }

  async #call(): Promise<void> {
    this.#again = this.#busy;
    if (this.#busy) return;
    this.#busy = true;
    await this.#onChange().catch(() => undefined);
    this.#busy = false;
    if (this.#again && this.#events !== undefined) this.#changed();
  }
}
