import { ANSWERS, ANSWERS_WITH_PORT, ROUTER_TABLE } from "./router-rules.ts";

/** An answer may live for a moment only: its guest has to have the time to connect. */
const LEAST_SECONDS = 10;
const MOST_SECONDS = 86_400;
/** Answers of a cache lose a second each second: without it each would be worth a change of the rules. */
const GRACE_SECONDS = 2;

export interface AnsweredAddress {
  readonly address: string;
  /** Seconds that the answer is good for. */
  readonly ttl: number;
}

/** The addresses that names were answered with, and that the router lets through until the answers' lifetimes are over. */
export class AnsweredAddresses {
  readonly #change: (script: string) => Promise<void>;
  readonly #now: () => number;
  /** Elements of the kernel's sets, each with the time at which it leaves. */
  readonly #elements: Map<string, number> = new Map();
  #last: Promise<void> = Promise.resolve();

  /** @param change carries out commands of nftables in the router; @param now seconds */
  constructor(change: (script: string) => Promise<void>, now: () => number = () => performance.now() / 1000) {
    this.#change = change;
    this.#now = now;
  }

  /**
   * Resolves when the router lets these through: only then may the guest know them.
   *
   * @param ports undefined among them: all ports
   * @throws NetnsError KATA_NETWORK
   */
  async permit(answers: readonly AnsweredAddress[], ports: readonly (number | undefined)[]): Promise<void> {
    const work = this.#last.then(() => this.#permit(answers, ports));
    this.#last = work.catch(() => undefined);
    await work;
  }

  async #permit(answers: readonly AnsweredAddress[], ports: readonly (number | undefined)[]): Promise<void> {
    const now = this.#now();
    for (const [element, end] of this.#elements) if (end <= now) this.#elements.delete(element);
    const added: Map<string, number> = new Map();
    for (const { address, ttl } of answers) {
      const seconds = Math.ceil(Math.min(Math.max(ttl, LEAST_SECONDS), MOST_SECONDS)) + GRACE_SECONDS;
      for (const port of ports) {
        const element = port === undefined ? address : `${address} . ${String(port)}`;
        if ((this.#elements.get(element) ?? 0) >= now + seconds - GRACE_SECONDS) continue;
        added.set(element, Math.max(added.get(element) ?? 0, seconds));
      }
    }
    if (added.size === 0) return;
    await this.#change([...added].map(([element, seconds]) => renewed(element, seconds)).join(""));
    for (const [element, seconds] of added) this.#elements.set(element, now + seconds);
  }
}

/** An element that is there keeps its old timeout unless it is taken out first; taking out needs it to be there. */
function renewed(element: string, seconds: number): string {
  const set = `${ROUTER_TABLE} ${element.includes(" . ") ? ANSWERS_WITH_PORT : ANSWERS}`;
  const timed = `{ ${element} timeout ${String(seconds)}s }`;
  return `add element ${set} ${timed}\ndelete element ${set} { ${element} }\nadd element ${set} ${timed}\n`;
}
