import { nodeError } from "../errors.ts";
import { parseUrl, SPECIAL, type UrlParts } from "./url/parse.ts";
import { URLSearchParams } from "./url-search-params.ts";

/** Whole URLs, written as the URL standard has them. They are read: no part of one can be set. */
export class URL {
  readonly #parts: UrlParts;
  readonly #parameters: URLSearchParams;

  /** @throws TypeError ERR_INVALID_URL, and for what the engine lacks: a base, and names of hosts beyond ASCII */
  constructor(text: string | URL, base?: unknown) {
    if (base !== undefined) throw withoutBases();
    const parts = parseUrl(String(text));
    if (parts === undefined) {
      throw Object.assign(nodeError("ERR_INVALID_URL", "Invalid URL", TypeError), { input: String(text) });
    }
    this.#parts = parts;
    this.#parameters = new URLSearchParams(parts.query);
  }

  static canParse(text: string | URL, base?: unknown): boolean {
    if (base !== undefined) throw withoutBases();
    return parseUrl(String(text)) !== undefined;
  }

  get protocol(): string {
    return this.#parts.protocol;
  }

  get username(): string {
    return this.#parts.username;
  }

  get password(): string {
    return this.#parts.password;
  }

  get hostname(): string {
    return this.#parts.hostname ?? "";
  }

  get port(): string {
    return this.#parts.port;
  }

  get host(): string {
    return this.port === "" ? this.hostname : `${this.hostname}:${this.port}`;
  }

  get pathname(): string {
    return this.#parts.pathname;
  }

  get search(): string {
    const { query = "" } = this.#parts;
    return query === "" ? "" : `?${query}`;
  }

  get searchParams(): URLSearchParams {
    return this.#parameters;
  }

  get hash(): string {
    const { fragment = "" } = this.#parts;
    return fragment === "" ? "" : `#${fragment}`;
  }

  get origin(): string {
    if (this.protocol === "blob:") {
      const inner = URL.canParse(this.pathname) ? new URL(this.pathname) : undefined;
      return inner !== undefined && /^https?:$/.test(inner.protocol) ? inner.origin : "null";
    }
    return this.protocol in SPECIAL && this.protocol !== "file:" ? `${this.protocol}//${this.host}` : "null";
  }

  get href(): string {
    const { hostname, pathname, query, fragment } = this.#parts;
    const password = this.password === "" ? "" : `:${this.password}`;
    const user = this.username + password === "" ? "" : `${this.username}${password}@`;
    // Without a host such a path would begin with one.
    const dot = hostname === undefined && pathname.startsWith("//") ? "/." : "";
    const place = hostname === undefined ? dot : `//${user}${this.host}`;
    const rest = `${query === undefined ? "" : `?${query}`}${fragment === undefined ? "" : `#${fragment}`}`;
    return `${this.protocol}${place}${pathname}${rest}`;
  }

  toString(): string {
    return this.href;
  }

  toJSON(): string {
    return this.href;
  }
}

function withoutBases(): Error {
  const message = "URL: a base is given, and this engine takes whole URLs only";
  return nodeError("ERR_FEATURE_UNAVAILABLE_ON_PLATFORM", message, TypeError);
}
