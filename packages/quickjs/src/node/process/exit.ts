import { libc } from "../libc.ts";

/** Ends the program at once, in C. */
export function exitNow(status: number): never {
  libc("exit", status);
  throw new Error("unreachable");
}
