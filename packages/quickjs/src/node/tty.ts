import { tryLibc } from "./libc.ts";

export function isatty(fd: number): boolean {
  return Number.isInteger(fd) && fd >= 0 && tryLibc("isatty", fd) === 1;
}
