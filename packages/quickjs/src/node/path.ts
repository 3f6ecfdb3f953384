import { workingDirectory } from "./working-directory.ts";

/** Paths of Linux: what Node calls `path.posix`. */
export const sep = "/";
export const delimiter = ":";

export function isAbsolute(path: string): boolean {
  return path.startsWith("/");
}

export function normalize(path: string): string {
  if (path === "") return ".";
  const absolute = isAbsolute(path);
  const parts = partsOf(path, absolute);
  const text = `${absolute ? "/" : ""}${parts.join("/")}`;
  if (text === "") return path.endsWith("/") ? "./" : ".";
  return path.endsWith("/") && parts.length > 0 ? `${text}/` : text;
}

export function join(...paths: readonly string[]): string {
  return normalize(paths.filter((path) => path !== "").join("/"));
}

export function resolve(...paths: readonly string[]): string {
  let whole = "";
  for (const path of [...paths].reverse()) {
    if (path === "") continue;
    whole = whole === "" ? path : `${path}/${whole}`;
    if (isAbsolute(path)) break;
  }
  if (!isAbsolute(whole)) whole = `${workingDirectory()}/${whole}`;
  return `/${partsOf(whole, true).join("/")}`;
}

export function dirname(path: string): string {
  const text = withoutEnd(path);
  const at = text.lastIndexOf("/");
  if (at === -1) return ".";
  return at === 0 ? "/" : text.slice(0, at);
}

export function basename(path: string, suffix = ""): string {
  const text = withoutEnd(path);
  const name = text === "/" ? "" : text.slice(text.lastIndexOf("/") + 1);
  if (suffix === path) return "";
  return suffix !== "" && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

export function extname(path: string): string {
  const name = basename(path);
  const at = name.lastIndexOf(".");
  return at <= 0 || name === ".." ? "" : name.slice(at);
}

export function relative(from: string, to: string): string {
  const [start, end] = [resolve(from), resolve(to)].map((path) => path.split("/").filter(Boolean)) as [
    string[],
    string[],
  ];
  let common = 0;
  while (common < start.length && start[common] === end[common]) common += 1;
  return [...start.slice(common).map(() => ".."), ...end.slice(common)].join("/");
}

function partsOf(path: string, absolute: boolean): string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!absolute) parts.push("..");
  }
  return parts;
}

function withoutEnd(path: string): string {
  return path.replace(/(.)\/+$/, "$1");
}

const path = { sep, delimiter, isAbsolute, normalize, join, resolve, dirname, basename, extname, relative };
export const posix: typeof path = path;
export default path;
