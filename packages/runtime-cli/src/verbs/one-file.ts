import { constants, fstatSync, readFileSync, type Stats } from "node:fs";

/** Whether two of our descriptors are one end of one pipe, socket or terminal, or one open file, as after `2>&1`. */
export function isOneFile(a: number, b: number): boolean {
  const [first, second] = [find(a), find(b)];
  if (first === undefined || second === undefined) return false;
  if (first.dev !== second.dev || first.ino !== second.ino || first.rdev !== second.rdev) return false;
  // A file may have been opened twice, each with a position of its own.
  return (first.mode & constants.S_IFMT) !== constants.S_IFREG || place(a) === place(b);
}

function find(descriptor: number): Stats | undefined {
  try {
    return fstatSync(descriptor);
  } catch {
    return undefined; // It is closed.
  }
}

/** Its position and its flags. */
function place(descriptor: number): string {
  return readFileSync(`/proc/self/fdinfo/${String(descriptor)}`, "latin1")
    .split("\n")
    .slice(0, 2)
    .join();
}
