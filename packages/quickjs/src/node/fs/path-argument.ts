import { Buffer } from "../buffer.ts";
import { invalidArgument, nodeError } from "../errors.ts";

export type PathArgument = string | Uint8Array | { readonly href: string; readonly pathname: string };

/** A path as libc takes it. @throws TypeError for what is none, or has a NUL in it */
export function pathOf(path: PathArgument): string | Uint8Array {
  if (typeof path === "string") return checked(path, path.includes("\0"));
  if (path instanceof Uint8Array) return Buffer.concat([checked(path, path.includes(0)), Buffer.alloc(1)]);
  if (typeof path === "object" && "href" in path) return pathOf(decodeURIComponent(path.pathname));
  throw invalidArgument("path", "of type string or an instance of Buffer or URL", path);
}

/** For messages. */
export function pathText(path: PathArgument): string {
  if (typeof path === "string") return path;
  return path instanceof Uint8Array ? Buffer.from(path).toString() : decodeURIComponent(path.pathname);
}

function checked<T>(path: T, hasNul: boolean): T {
  if (!hasNul) return path;
  const message = "The argument 'path' must be a string, Uint8Array, or URL without null bytes.";
  throw nodeError("ERR_INVALID_ARG_VALUE", message, TypeError);
}
