import { setTimeout as delay } from "node:timers/promises";

export interface RetryOptions {
  /** How often something is tried in all; 5 by default. */
  readonly attempts?: number;
  /** Milliseconds before the second try; each further one waits twice as long. 500 by default. */
  readonly firstDelayMs?: number;
}

const ATTEMPTS = 5;
const FIRST_DELAY_MS = 500;
/** A registry that wants a longer wait than this is an error. */
export const MAX_WAIT_MS = 60_000;

/** Counts tries, and waits between them. */
export class Tries {
  readonly #attempts: number;
  readonly #firstDelayMs: number;
  readonly #signal: AbortSignal | undefined;
  #made = 1;

  constructor({ attempts = ATTEMPTS, firstDelayMs = FIRST_DELAY_MS }: RetryOptions, signal: AbortSignal | undefined) {
    this.#attempts = attempts;
    this.#firstDelayMs = firstDelayMs;
    this.#signal = signal;
  }

  /** Waits for the next try. @param askedMs how long the other side wants us to wait. @returns false when there is none */
  async again(askedMs?: number): Promise<boolean> {
    if (this.#made >= this.#attempts || (askedMs ?? 0) > MAX_WAIT_MS) return false;
    const usual = this.#firstDelayMs * 2 ** (this.#made - 1);
    this.#made += 1;
    await delay(Math.min(askedMs ?? usual, MAX_WAIT_MS), undefined, this.#signal && { signal: this.#signal });
    return true;
  }
}

/** Seconds, or a date. @param now the other side's time in milliseconds since 1970. @returns milliseconds to wait; undefined for what is neither */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date - now) ? undefined : Math.max(0, date - now);
}
