import { nodeError } from "../errors.ts";
import { URLSearchParams } from "./url-search-params.ts";

const FORM =
  /^([A-Za-z][A-Za-z0-9+.-]*:)(?:\/\/(?:([^/?#@:]*)(?::([^/?#@]*))?@)?(\[[^\]]*\]|[^/?#:]*)(?::(\d{0,5}))?)?([^?#]*)(\?[^#]*)?(#.*)?$/;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

/** Whole URLs as programs here have them: their parts, without a base, and without rewriting of dots or encodings. */
export class URL {
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  readonly hostname: string;
  readonly port: string;
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;

  /** @throws TypeError ERR_INVALID_URL */
  constructor(text: string | URL) {
    const parts = FORM.exec(String(text).trim());
    if (parts === null)
      throw Object.assign(nodeError("ERR_INVALID_URL", "Invalid URL", TypeError), { input: String(text) });
    const [, protocol = "", username = "", password = "", hostname = "", port = "", pathname = "", search, hash] =
      parts;
    this.protocol = protocol.toLowerCase();
    this.username = username;
    this.password = password;
    this.hostname = hostname;
    this.port = port === DEFAULT_PORTS[this.protocol] ? "" : port;
    this.pathname = pathname === "" && this.protocol in DEFAULT_PORTS ? "/" : pathname;
    this.search = search === "?" ? "" : (search ?? "");
    this.hash = hash === "#" ? "" : (hash ?? "");
  }

  get searchParams(): URLSearchParams {
    return new URLSearchParams(this.search);
  }

  static canParse(text: string): boolean {
    return FORM.test(text);
  }

  get host(): string {
    return this.port === "" ? this.hostname : `${this.hostname}:${this.port}`;
  }

  get href(): string {
    const user = this.username === "" ? "" : `${this.username}${this.password === "" ? "" : `:${this.password}`}@`;
    const slashes = this.host !== "" || this.protocol === "file:" || this.pathname.startsWith("/") ? "//" : "";
    return `${this.protocol}${slashes}${user}${this.host}${this.pathname}${this.search}${this.hash}`;
  }

  toString(): string {
    return this.href;
  }

  toJSON(): string {
    return this.href;
  }
}
