import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { bootId } from "@kata-ts/linux";

/** Of the calling thread's network namespace. */
const SWITCH = "/proc/sys/net/ipv4/ip_forward";

/**
 * The host forwards IPv4 packets from now on. That it did not is noted, so that the last sandbox can have it so again.
 *
 * @param note a file
 * @param namespace the inode of the calling thread's network namespace, for a search for notes whose namespace has ended
 * @returns whether it had to be switched on
 */
export function enableForwarding(note: string, namespace: number): boolean {
  if (readFileSync(SWITCH, "utf8").trim() === "1") return false;
  writeFileSync(note, `${bootId()} ${String(namespace)}\n`);
  writeFileSync(SWITCH, "1");
  return true;
}

/** As before enableForwarding, where that has switched it on since the host was booted. Idempotent. */
export function restoreForwarding(note: string): void {
  const switchedOn = namespaceOf(note) !== undefined;
  if (switchedOn) writeFileSync(SWITCH, "0");
  rmSync(note, { force: true });
}

/**
 * The inode of the namespace that a note is about; undefined where there is no such note, and for one of an earlier boot, or
 * that was cut off before anything was switched.
 */
export function namespaceOf(note: string): number | undefined {
  const [boot, inode] = textOf(note).trim().split(" ");
  return boot === bootId() && inode !== undefined ? Number(inode) : undefined;
}

function textOf(note: string): string {
  try {
    return readFileSync(note, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
