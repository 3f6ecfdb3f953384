import { Buffer } from "./buffer.ts";
import { libc } from "./libc.ts";

const LONGEST = 4096;

export function workingDirectory(): string {
  const path = Buffer.alloc(LONGEST);
  libc("getcwd", path, path.length);
  return path.toString("utf8", 0, path.indexOf(0));
}
