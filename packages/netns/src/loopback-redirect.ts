import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { inNamespace } from "@kata-ts/linux";
import { NetnsError } from "./errors.ts";

const DEADLINE_MS = 10_000;

/**
 * Leads every TCP connection that a process in the namespace makes to 127.0.0.1 to one port there.
 *
 * @param namespace a path; undefined: the calling thread's
 * @throws NetnsError KATA_NETWORK without iptables, or where the kernel refuses
 */
export function redirectLoopback(namespace: string | undefined, port: number): Promise<void> {
  return iptables(namespace, "-A", port);
}

/** Takes it back. @throws NetnsError KATA_NETWORK when it is not there */
export function undoRedirectLoopback(namespace: string | undefined, port: number): Promise<void> {
  return iptables(namespace, "-D", port);
}

async function iptables(namespace: string | undefined, change: "-A" | "-D", port: number): Promise<void> {
  const match = ["-o", "lo", "-d", "127.0.0.1/32", "-p", "tcp", "-m", "comment", "--comment", "kata-ts"];
  const args = ["-w", "-t", "nat", change, "OUTPUT", ...match, "-j", "REDIRECT", "--to-ports", String(port)];
  const start = () =>
    spawn("iptables", args, {
      stdio: ["ignore", "ignore", "pipe"],
      timeout: DEADLINE_MS,
      killSignal: "SIGKILL",
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C" },
    });
  const child = namespace === undefined ? start() : inNamespace("net", namespace, start);
  const ended: Promise<string | undefined> = new Promise((resolve) => {
    child.once("error", (failure) => {
      resolve(failure.message);
    });
    child.once("close", (code) => {
      resolve(code === 0 ? undefined : "it refused");
    });
  });
  const [failure, stderr] = await Promise.all([ended, text(child.stderr)]);
  if (failure !== undefined) throw new NetnsError("KATA_NETWORK", `iptables ${change}: ${stderr.trim() || failure}`);
}
