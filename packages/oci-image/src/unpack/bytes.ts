/**
 * A path as the kernel has it: bytes, one a character ("latin1"). Two names that differ only in what is no UTF-8 are two
 * names; as text they would be one.
 */
export type BytePath = string;

/** Text to bytes, as everything on this machine is written. */
export function bytePath(text: string): BytePath {
  return Buffer.from(text).toString("latin1");
}

/** For calls of the file system. */
export function onDisk(path: BytePath): Buffer {
  return Buffer.from(path, "latin1");
}

/** For people. */
export function readable(path: BytePath): string {
  return onDisk(path).toString();
}
