import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
} from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import type { SecureContext } from "node:tls";
import { ImageError } from "../errors.ts";
import { shown } from "../text.ts";

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const USER_AGENT = "kata-ts";

/** A connection that could not be made, broke off or stood still: another try may do. */
export class ConnectionLost extends ImageError {}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Fails with ConnectionLost where it breaks off or stands still; destroyed when it is not read to its end. */
  readonly body: IncomingMessage;
}

export interface HttpClientOptions {
  /** For messages. */
  readonly name: string;
  /** Milliseconds without a byte after which a connection is given up. */
  readonly stallMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Made when it is needed first: whose certificates are trusted. */
  readonly secureContext: () => SecureContext;
  /** Variables of an environment that name proxies; none by default. */
  readonly proxyEnv?: NodeJS.ProcessEnv | undefined;
}

export interface Question {
  readonly headers?: Readonly<Record<string, string>>;
  /** Posted as a form. */
  readonly form?: URLSearchParams;
}

/** HTTP as registries speak it: redirects never lead from https to http, and take no authorization to another host. */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #plain: PlainAgent;
  #secure: SecureAgent | undefined;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#plain = new PlainAgent({ keepAlive: true, ...proxied(options) });
  }

  /** @throws ConnectionLost; ImageError KATA_IMAGE_REGISTRY for what is no address, and for redirects that lead astray */
  async ask(address: string, { headers = {}, form }: Question = {}): Promise<Answer> {
    let url = this.#url(address);
    let sent = { ...headers };
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const body = await this.#send(url, sent, form);
      const { statusCode: status = 0, headers: received } = body;
      const { location } = received;
      if (!REDIRECTS.has(status) || location === undefined || form !== undefined) {
        return { status, headers: received, body };
      }
      body.destroy();
      const next = this.#url(location, url);
      if (url.protocol === "https:" && next.protocol !== "https:") {
        throw this.#error(`${url.host} leads from https to ${shown(next.href)}`);
      }
      if (next.origin !== url.origin) {
        sent = Object.fromEntries(Object.entries(sent).filter(([name]) => name !== "authorization"));
      }
      url = next;
    }
    throw this.#error("too many redirects");
  }

  #url(address: string, base?: URL): URL {
    const url = URL.canParse(address, base) ? new URL(address, base) : undefined;
    if (url !== undefined && (url.protocol === "https:" || url.protocol === "http:")) return url;
    throw this.#error(`${shown(address)} is no address of a registry`);
  }

  #send(url: URL, headers: Readonly<Record<string, string>>, form?: URLSearchParams): Promise<IncomingMessage> {
    const { signal, stallMs } = this.#options;
    // What Node refuses, such as a header with a line break, it throws: that rejects the promise as well.
    return new Promise<IncomingMessage>((resolve, reject) => {
      const lost = (error: Error): ConnectionLost => this.#lost(error);
      const isSecure = url.protocol === "https:";
      const content = form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" };
      const options = {
        method: form === undefined ? "GET" : "POST",
        headers: { "user-agent": USER_AGENT, ...content, ...headers },
        timeout: stallMs,
        ...(signal === undefined ? {} : { signal }),
      };
      const request = isSecure
        ? secureRequest(url, { ...options, agent: this.#secureAgent() })
        : plainRequest(url, { ...options, agent: this.#plain });
      let answer: IncomingMessage | undefined;
      request.on("timeout", () => {
        const stalled = lost(new Error(`nothing has come for ${String(stallMs / 1000)} s`));
        if (answer === undefined) request.destroy(stalled);
        else answer.destroy(stalled);
      });
      request.on("response", (response) => {
        answer = response;
        resolve(response);
      });
      request.on("error", (error) => {
        reject(error instanceof ImageError ? error : lost(error));
      });
      request.end(form?.toString());
    }).catch((error: unknown) => {
      throw error instanceof ImageError ? error : this.#error(shown((error as Error).message));
    });
  }

  #secureAgent(): SecureAgent {
    const options = { keepAlive: true, secureContext: this.#options.secureContext() };
    this.#secure ??= new SecureAgent({ ...options, ...proxied(this.#options) });
    return this.#secure;
  }

  #lost(error: Error): ConnectionLost {
    const { code } = error as NodeJS.ErrnoException;
    const reason = error.message === "" ? (code ?? "the connection failed") : error.message;
    return new ConnectionLost("KATA_IMAGE_REGISTRY", `${this.#options.name}: ${shown(reason)}`, { cause: error });
  }

  #error(reason: string): ImageError {
    return new ImageError("KATA_IMAGE_REGISTRY", `${this.#options.name}: ${reason}`);
  }
}

function proxied({ proxyEnv }: HttpClientOptions): { proxyEnv?: NodeJS.ProcessEnv } {
  return proxyEnv === undefined ? {} : { proxyEnv };
}
