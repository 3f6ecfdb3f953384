import { ENCODED, percentEncode } from "./encode.ts";

const HERE = /^(?:\.|%2e)$/i;
const UP = /^(?:\.|%2e){2}$/i;
const DRIVE = /^[A-Za-z][:|]$/;

/**
 * A path without its dots.
 *
 * @param isSpecial whether there is always one, be it empty
 * @param isFile whether it may begin with a drive's letter, out of which no dots lead
 */
export function pathOf(text: string, isSpecial: boolean, isFile = false): string {
  if (text === "") return isSpecial ? "/" : "";
  const parts = text.replace(/^\//, "").split("/");
  const path: string[] = [];
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    if (UP.test(part)) {
      if (!(isFile && path.length === 1 && /^[A-Za-z]:$/.test(path[0] ?? ""))) path.pop();
      if (isLast) path.push("");
    } else if (HERE.test(part)) {
      if (isLast) path.push("");
    } else {
      const isDrive = isFile && path.length === 0 && DRIVE.test(part);
      path.push(isDrive ? `${part.charAt(0)}:` : percentEncode(part, ENCODED.path));
    }
  }
  return `/${path.join("/")}`;
}
