import { basename, dirname } from "node:path";

/** What is at a path of the host or of a container. */
export type Found = "file" | "directory" | undefined;

/** Where a tar is unpacked, and what its top is called there. */
export interface CopyTarget {
  readonly directory: string;
  /** `.`: the content of the source alone. */
  readonly name: string;
}

/** A copy that cannot be made, as `cp` would say it. */
export class CopyError extends Error {
  readonly code = "KATA_COPY";
  override readonly name = "CopyError";
}

/**
 * Where a source goes, by the rules of `docker cp`: into a directory that exists under its own name, or as its content alone where it ends in
 * `/.`; else to the name that was asked for.
 *
 * @param source an absolute path, as it was written
 * @param isDirectory what the source is
 * @param target an absolute path, as it was written
 * @param found what is there already
 */
export function copyTarget(source: string, isDirectory: boolean, target: string, found: Found): CopyTarget {
  if (found === "directory") {
    const isContent = isDirectory && /(^|\/)\.$/.test(source);
    return { directory: target, name: isContent ? "." : basename(source) || "." };
  }
  if (isDirectory && found === "file")
    throw new CopyError(`${target} is no directory, and a directory cannot replace it`);
  if (!isDirectory && target.endsWith("/")) throw new CopyError(`there is no directory ${target}`);
  return { directory: dirname(target), name: basename(target) };
}
