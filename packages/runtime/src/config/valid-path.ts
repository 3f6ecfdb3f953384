import { normalize } from "node:path";

/** Whether a path is one of those that globs list. One with `..` in it never is. */
export function isValidPath(path: string, globs: readonly string[]): boolean {
  return path.startsWith("/") && normalize(path) === path && globs.some((glob) => pattern(glob).test(path));
}

/** `*` and `?` stand for anything but a slash. */
function pattern(glob: string): RegExp {
  const literal = glob.replaceAll(/[\\^$.|+()[\]{}]/g, "\\$&");
  return new RegExp(`^${literal.replaceAll("*", "[^/]*").replaceAll("?", "[^/]")}$`);
}
