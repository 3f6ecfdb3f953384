import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/** Of the calling thread's network namespace. */
const SWITCH = "/proc/sys/net/ipv4/ip_forward";

/**
 * The host forwards IPv4 packets from now on. That it did not is noted, so that the last sandbox can have it so again.
 *
 * @param note a file; @returns whether it had to be switched on
 */
export function enableForwarding(note: string): boolean {
  if (readFileSync(SWITCH, "utf8").trim() === "1") return false;
  writeFileSync(note, "");
  writeFileSync(SWITCH, "1");
  return true;
}

/** As before enableForwarding, where that has switched it on. Idempotent. */
export function restoreForwarding(note: string): void {
  if (!existsSync(note)) return;
  writeFileSync(SWITCH, "0");
  rmSync(note, { force: true });
}
