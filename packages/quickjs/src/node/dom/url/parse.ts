import { ENCODED, percentEncode } from "./encode.ts";
import { hostOf } from "./host.ts";
import { pathOf } from "./path.ts";

/** A URL's parts, as they are written in it. */
export interface UrlParts {
  /** With its colon. */
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  /** Undefined where there is none, not even an empty one. */
  readonly hostname: string | undefined;
  /** Empty where it is the scheme's own. */
  readonly port: string;
  readonly pathname: string;
  /** What follows the question mark, and the hash; undefined without it. */
  readonly query: string | undefined;
  readonly fragment: string | undefined;
}

/** The schemes that the web has: their slashes may lean, their hosts are names or addresses. */
export const SPECIAL: Readonly<Record<string, string>> = {
  "http:": "80",
  "https:": "443",
  "ws:": "80",
  "wss:": "443",
  "ftp:": "21",
  "file:": "",
};
const DRIVE = /^[A-Za-z][:|]$/;

type Authority = Pick<UrlParts, "username" | "password" | "hostname" | "port">;
const NO_AUTHORITY: Authority = { username: "", password: "", hostname: undefined, port: "" };

/** By the URL standard, for whole URLs. @returns undefined for what is none */
export function parseUrl(input: string): UrlParts | undefined {
  const text = input.replace(/^[\0- ]+|[\0- ]+$/g, "").replace(/[\t\n\r]/g, "");
  const [, scheme = "", rest = "", query, fragment] =
    /^([A-Za-z][A-Za-z0-9+.-]*:)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text) ?? [];
  if (scheme === "") return undefined;
  const protocol = scheme.toLowerCase();
  const isSpecial = protocol in SPECIAL;
  const isFollowed = query !== undefined || fragment !== undefined;
  const place = isSpecial ? specialPlace(protocol, rest.replaceAll("\\", "/")) : otherPlace(rest, isFollowed);
  if (place === undefined) return undefined;
  return {
    protocol,
    ...place,
    query: query === undefined ? undefined : percentEncode(query, isSpecial ? ENCODED.specialQuery : ENCODED.query),
    fragment: fragment === undefined ? undefined : percentEncode(fragment, ENCODED.fragment),
  };
}

type Place = Authority & Pick<UrlParts, "pathname">;

/** However many slashes there are, what follows them is a host; of a file only what follows two. */
function specialPlace(protocol: string, rest: string): Place | undefined {
  const isFile = protocol === "file:";
  if (isFile && !rest.startsWith("//")) return { ...NO_AUTHORITY, hostname: "", pathname: pathOf(rest, true, true) };
  const [host, path] = splitAt(isFile ? rest.slice(2) : rest.replace(/^\/*/, ""));
  if (isFile && DRIVE.test(host))
    return { ...NO_AUTHORITY, hostname: "", pathname: pathOf(`/${host}${path}`, true, true) };
  const authority = isFile ? fileAuthority(host) : authorityOf(host, protocol);
  return authority && { ...authority, pathname: pathOf(path, true, isFile) };
}

function fileAuthority(text: string): Authority | undefined {
  const hostname = text === "" ? "" : hostOf(text, true);
  return hostname === undefined ? undefined : { ...NO_AUTHORITY, hostname: hostname === "localhost" ? "" : hostname };
}

/** @param isFollowed by a query or a fragment: a space before it is no end of the text, which would be cut off */
function otherPlace(rest: string, isFollowed: boolean): Place | undefined {
  if (rest.startsWith("//")) {
    const [host, path] = splitAt(rest.slice(2));
    const authority = authorityOf(host, "");
    return authority && { ...authority, pathname: pathOf(path, false) };
  }
  if (rest.startsWith("/")) return { ...NO_AUTHORITY, pathname: pathOf(rest, false) };
  const pathname = percentEncode(rest, ENCODED.control);
  return { ...NO_AUTHORITY, pathname: isFollowed ? pathname.replace(/ $/, "%20") : pathname };
}

/** What is before the first slash, and the rest. */
function splitAt(text: string): [host: string, path: string] {
  const end = text.indexOf("/");
  return end === -1 ? [text, ""] : [text.slice(0, end), text.slice(end)];
}

/** `user:password@host:port`, of which a special one needs the host. @param protocol empty for a scheme that is not special */
function authorityOf(text: string, protocol: string): Authority | undefined {
  const isSpecial = protocol !== "";
  const end = text.lastIndexOf("@");
  const [, username = "", password = ""] = /^([^:]*):?(.*)$/s.exec(text.slice(0, Math.max(end, 0))) ?? [];
  const [, host = "", port] = /^((?:\[[^\]]*\]?|[^:[])*)(?::(.*))?$/s.exec(text.slice(end + 1)) ?? [];
  if (host === "" && (isSpecial || end !== -1 || port !== undefined)) return undefined;
  const hostname = host === "" ? "" : hostOf(host, isSpecial);
  if (hostname === undefined || !/^\d*$/.test(port ?? "") || Number(port ?? 0) > 65_535) return undefined;
  const number = port === undefined || port === "" ? "" : String(Number(port));
  return {
    username: percentEncode(username, ENCODED.user),
    password: percentEncode(password, ENCODED.user),
    hostname,
    port: isSpecial && number === SPECIAL[protocol] ? "" : number,
  };
}
