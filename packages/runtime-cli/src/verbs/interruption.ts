/** Signals by which people and engines give up on a call. */
const INTERRUPTIONS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/** While it is entered, a signal that would end this process aborts `signal` instead, whose operation cleans up. */
export class Interruption implements Disposable {
  readonly #abort: AbortController = new AbortController();
  readonly #handler = (name: NodeJS.Signals): void => {
    this.#abort.abort(name);
  };

  constructor() {
    for (const name of INTERRUPTIONS) process.on(name, this.#handler);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  [Symbol.dispose](): void {
    for (const name of INTERRUPTIONS) process.off(name, this.#handler);
  }
}
