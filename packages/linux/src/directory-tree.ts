import { closeSync, constants, openSync } from "node:fs";
import { namesIn, PATH_ONLY } from "./files.ts";
import { LinuxError } from "./native.ts";

/**
 * @param directory a path that leads to it while it is visited
 * @param entry its name in the directory above, as a path for calls that remove it
 */
export type VisitDirectory = (directory: string, entry: Buffer) => void;

/**
 * Visits a directory and all below it, those below first. Each is reached from the one above, which is open, by the bytes of its
 * name: names that are no text hide nothing, nor does a path that is longer than the kernel takes. What goes meanwhile is left out.
 *
 * @param maxDepth how many levels below the first there may be; each holds a descriptor
 * @throws LinuxError ENAMETOOLONG where there are more; an error of the file system where the first is not there
 */
export function visitDirectories(top: string, maxDepth: number, visit: VisitDirectory): void {
  const entry = Buffer.from(top);
  const directory = open(entry);
  visitFrom({ directory, entry, levels: maxDepth }, top, visit);
}

interface Step {
  readonly directory: number;
  readonly entry: Buffer;
  /** How many there may be below it. */
  readonly levels: number;
}

/** Closes the directory. */
function visitFrom({ directory, entry, levels }: Step, top: string, visit: VisitDirectory): void {
  const path = `/proc/self/fd/${String(directory)}`;
  try {
    for (const name of directoriesIn(path)) {
      if (levels === 0) throw new LinuxError("visit", "ENAMETOOLONG", `${top}: too many directories are in each other`);
      const below = Buffer.concat([Buffer.from(`${path}/`), name]);
      const next = unlessGone(() => open(below));
      if (next !== undefined) visitFrom({ directory: next, entry: below, levels: levels - 1 }, top, visit);
    }
    unlessGone(() => {
      visit(path, entry);
    });
  } finally {
    closeSync(directory);
  }
}

function open(entry: Buffer): number {
  return openSync(entry, PATH_ONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

/** All at once: they may be removed while they are visited. */
function directoriesIn(path: string): Buffer[] {
  const names = unlessGone(() => [...namesIn(`${path}/.`)]) ?? [];
  return names.filter(({ type }) => type === "directory").map(({ name }) => name);
}

/** The second is the kernel's word where a file of a cgroup is read that was opened before the cgroup went. */
const GONE: ReadonlySet<unknown> = new Set(["ENOENT", "ENODEV"]);

function unlessGone<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    const code = error instanceof LinuxError ? error.errno : (error as NodeJS.ErrnoException).code;
    if (!GONE.has(code)) throw error;
    return undefined;
  }
}
