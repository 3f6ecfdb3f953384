import { type Answer, ConnectionLost, type HttpClient, type Question } from "./http-client.ts";
import { parseRetryAfter, type RetryOptions, Tries } from "./retry.ts";

/** A registry that is busy, or whose gateway is: another attempt may succeed. */
const BUSY: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);
const PASSING: ReadonlySet<string> = new Set([
  ...["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ERR_PROXY_TUNNEL"],
]);

export interface PatientAnswer extends Answer {
  /** How long the other side wants us to wait before we ask again. */
  readonly waitMs: number | undefined;
}

/** Asks again, within bounds, where a connection breaks off or stands still, and where the other side is busy. */
export class PatientClient {
  readonly #client: HttpClient;
  readonly #retry: RetryOptions;
  readonly #signal: AbortSignal | undefined;

  constructor(client: HttpClient, retry: RetryOptions = {}, signal?: AbortSignal) {
    this.#client = client;
    this.#retry = retry;
    this.#signal = signal;
  }

  /** @throws ConnectionLost; ImageError KATA_IMAGE_REGISTRY; the signal's reason */
  async ask(address: string, question: Question = {}): Promise<PatientAnswer> {
    const tries = this.tries();
    for (;;) {
      const answer = await this.#askOnce(address, question, tries);
      const now = Date.parse(answer.headers.date ?? "");
      const waitMs = parseRetryAfter(answer.headers["retry-after"], now);
      if (!BUSY.has(answer.status) || !(await tries.again(waitMs))) return { ...answer, waitMs };
      answer.body.destroy();
    }
  }

  tries(): Tries {
    return new Tries(this.#retry, this.#signal);
  }

  async #askOnce(address: string, question: Question, tries: Tries): Promise<Answer> {
    for (;;) {
      try {
        return await this.#client.ask(address, question);
      } catch (error) {
        this.#signal?.throwIfAborted();
        if (!(error instanceof ConnectionLost) || !isPassing(error) || !(await tries.again())) throw error;
      }
    }
  }
}

/** An invalid name, an untrusted certificate and a refused connection are final. */
function isPassing({ cause }: ConnectionLost): boolean {
  const { code, message } = cause as NodeJS.ErrnoException;
  return PASSING.has(code ?? "") || /nothing has come|hang up/.test(message);
}
