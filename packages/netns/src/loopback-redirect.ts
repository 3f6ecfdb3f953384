import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { howToInstall, inNamespace, SYSTEM_PATH } from "@kata-ts/linux";
import { NetnsError } from "./errors.ts";

const DEADLINE_MS = 10_000;

/** A program that changes the kernel's packet filter, and how it is asked to. */
export interface PacketFilter {
  readonly program: string;
  readonly add: (port: number) => readonly string[];
  readonly remove: (port: number) => readonly string[];
}

const iptables: PacketFilter = {
  program: "iptables",
  add: (port) => iptablesRule("-A", port),
  remove: (port) => iptablesRule("-D", port),
};

/** A table of its own: one command takes all of it back, and no other program's table is in the way. */
const nft: PacketFilter = {
  program: "nft",
  add: (port) => [
    `add table ip kata-ts-${String(port)};`,
    `add chain ip kata-ts-${String(port)} output { type nat hook output priority -100; };`,
    `add rule ip kata-ts-${String(port)} output oifname "lo" ip daddr 127.0.0.1 meta l4proto tcp`,
    `redirect to :${String(port)}`,
  ],
  remove: (port) => [`delete table ip kata-ts-${String(port)}`],
};

/** Engines bring iptables where they use it; a host may have nft alone. */
const FILTERS: readonly PacketFilter[] = [iptables, nft];

/** Each of them alone. */
export const redirectionBy: Readonly<Record<"iptables" | "nft", PacketFilter>> = { iptables, nft };

/**
 * Leads every TCP connection that a process in the namespace makes to 127.0.0.1 to one port there.
 *
 * @param namespace a path; undefined: the calling thread's
 * @throws NetnsError KATA_NETWORK without iptables and nft, or where the kernel refuses
 */
export async function redirectLoopback(
  namespace: string | undefined,
  port: number,
  filters: readonly PacketFilter[] = FILTERS,
): Promise<void> {
  for (const { program, add } of filters) {
    const failure = await run(namespace, program, add(port));
    if (failure === undefined) return;
    if (failure !== "ENOENT") throw new NetnsError("KATA_NETWORK", `${program} ${add(port).join(" ")}: ${failure}`);
  }
  const names = filters.map(({ program }) => program).join(" nor ");
  throw new NetnsError("KATA_NETWORK", `neither ${names} is there to lead connections to the guest`, {
    hint: howToInstall("iptables"),
  });
}

/** Takes it back, whichever program has made it. @throws NetnsError KATA_NETWORK when it is not there */
export async function undoRedirectLoopback(
  namespace: string | undefined,
  port: number,
  filters: readonly PacketFilter[] = FILTERS,
): Promise<void> {
  const failures: string[] = [];
  for (const { program, remove } of filters) {
    const failure = await run(namespace, program, remove(port));
    if (failure === undefined) return;
    failures.push(`${program}: ${failure}`);
  }
  throw new NetnsError(
    "KATA_NETWORK",
    `the redirection to port ${String(port)} was not removed: ${failures.join("; ")}`,
  );
}

function iptablesRule(change: "-A" | "-D", port: number): string[] {
  const match = ["-o", "lo", "-d", "127.0.0.1/32", "-p", "tcp", "-m", "comment", "--comment", "kata-ts"];
  return ["-w", "-t", "nat", change, "OUTPUT", ...match, "-j", "REDIRECT", "--to-ports", String(port)];
}

/** @returns why it failed: `ENOENT` where there is no such program, else its own words; undefined when it has not */
async function run(
  namespace: string | undefined,
  program: string,
  args: readonly string[],
): Promise<string | undefined> {
  const start = () =>
    spawn(program, args, {
      stdio: ["ignore", "ignore", "pipe"],
      timeout: DEADLINE_MS,
      killSignal: "SIGKILL",
      env: { PATH: SYSTEM_PATH, LANG: "C" },
    });
  const child = namespace === undefined ? start() : inNamespace("net", namespace, start);
  const ended: Promise<string | undefined> = new Promise((resolve) => {
    child.once("error", (failure: NodeJS.ErrnoException) => {
      resolve(failure.code === "ENOENT" ? "ENOENT" : failure.message);
    });
    child.once("close", (code) => {
      resolve(code === 0 ? undefined : "it refused");
    });
  });
  const [failure, stderr] = await Promise.all([ended, text(child.stderr)]);
  return failure === undefined || failure === "ENOENT" ? failure : stderr.trim() || failure;
}
