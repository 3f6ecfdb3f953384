import { readFileSync } from "node:fs";

/** The text of a file of the kernel's, or of one in memory; "" where it cannot be read, as when what it is about has gone. */
export function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
