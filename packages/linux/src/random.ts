import { readFileSync } from "node:fs";

/** A random UUID of the kernel's making: to load node:crypto for one takes longer than most that a short program does. */
export function randomUuid(): string {
  return readFileSync("/proc/sys/kernel/random/uuid", "latin1").trim();
}
