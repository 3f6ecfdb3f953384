import { URL } from "./dom/url.ts";
import { nodeError } from "./errors.ts";
import { resolve } from "./path.ts";

export { URL };

/** @throws TypeError for a URL that is of no file of this machine, or whose path would have a slash more once it is decoded */
export function fileURLToPath(url: string | URL): string {
  const { protocol, hostname, pathname } = new URL(url);
  if (protocol !== "file:") throw nodeError("ERR_INVALID_URL_SCHEME", "The URL must be of scheme file", TypeError);
  if (hostname !== "") {
    const message = 'File URL host must be "localhost" or empty on linux';
    throw nodeError("ERR_INVALID_FILE_URL_HOST", message, TypeError);
  }
  if (/%2f/i.test(pathname)) {
    const message = "File URL path must not include encoded / characters";
    throw nodeError("ERR_INVALID_FILE_URL_PATH", message, TypeError);
  }
  return decodeURIComponent(pathname);
}

/** What a URL would take for its own marks is encoded, and what Node encodes beside it; the rest the URL encodes by itself. */
export function pathToFileURL(path: string): URL {
  const whole = `${resolve(path)}${path.endsWith("/") && !/^\/*$/.test(path) ? "/" : ""}`;
  const encoded = whole.replaceAll(/[%\\\n\r\t?#[\]|~]/g, (mark) => (mark === "~" ? "%7E" : encodeURIComponent(mark)));
  return new URL(`file://${encoded}`);
}
