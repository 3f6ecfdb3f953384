import { isIP } from "node:net";
import type { Commands } from "../commands.ts";
import { internal, invalidArgument } from "../errors.ts";

/**
 * Runs commands of `ip`, a line each, in one process; what the last of them shows is returned.
 *
 * @throws AgentRpcError INTERNAL with the kernel's word
 */
export async function ipBatch<T = unknown>(commands: Commands, what: string, lines: readonly string[]): Promise<T[]> {
  if (lines.length === 0) return [];
  const input = `${lines.join("\n")}\n`;
  const { status, stdout, stderr } = await commands.run("ip", ["-d", "-j", "-batch", "-"], input);
  // eslint-disable-next-line no-restricted-syntax -- ip's answer; the guest image pins its version
  if (status === 0) return JSON.parse(stdout.trim() === "" ? "[]" : stdout) as T[];
  const failed = Number(/Command failed -:(\d+)/.exec(stderr)?.[1] ?? 0);
  const reason = stderr.split("\n")[0] ?? "";
  throw internal(`${what}: ip ${lines[failed - 1] ?? ""}: ${reason}`);
}

/** The output of `ip`, as JSON. */
export async function ipJson<T>(commands: Commands, ...args: readonly string[]): Promise<T[]> {
  const { status, stdout, stderr } = await commands.run("ip", ["-d", "-j", ...args]);
  if (status !== 0) throw internal(`ip ${args.join(" ")}: ${stderr.trim()}`);
  // eslint-disable-next-line no-restricted-syntax -- as above
  return JSON.parse(stdout === "" ? "[]" : stdout) as T[];
}

// The batch's words are divided by blanks: nothing that is given may have one in it.

export function checkedName(name: string): string {
  if (/^[^\s/:]{1,15}$/.test(name) && name !== "." && name !== "..") return name;
  throw invalidArgument(`"${name}" cannot be the name of an interface`);
}

export function checkedAddress(address: string): string {
  if (isIP(address) !== 0) return address;
  throw invalidArgument(`"${address}" is no IP address`);
}

export function checkedPrefix(prefix: string): string {
  const [address = "", length = ""] = prefix.split("/");
  const longest = isIP(address) === 6 ? 128 : 32;
  if (isIP(address) !== 0 && /^\d{1,3}$/.test(length) && Number(length) <= longest) return prefix;
  throw invalidArgument(`"${prefix}" is no IP prefix`);
}

export function checkedMac(mac: string): string {
  if (/^[\da-f]{2}(:[\da-f]{2}){5}$/i.test(mac)) return mac.toLowerCase();
  throw invalidArgument(`"${mac}" is no MAC address`);
}
