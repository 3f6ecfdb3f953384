import { readFileSync } from "node:fs";
import { KataError } from "../errors.ts";

/** What is missing to be allowed to make VMs with a network, and what to do about it. */
export interface MissingPrivileges {
  readonly problem: string;
  readonly remedy: string;
}

/** What the kernel says of a process's privileges. */
export interface ProcessPrivileges {
  readonly uid: number;
  /** /proc/self/uid_map */
  readonly uidMap: string;
  /** /proc/self/status */
  readonly status: string;
}

/** Bits of capabilities(7) that every sandbox needs: taps and routes, namespaces and mounts, and to take its own away. */
const NEEDED: Readonly<Record<string, bigint>> = { CAP_SETPCAP: 8n, CAP_NET_ADMIN: 12n, CAP_SYS_ADMIN: 21n };

/** The map of a process that is in no user namespace but the first: each id is itself. */
const INITIAL_MAP = /^\s*0\s+0\s+4294967295\s*$/;

/** Undefined where nothing is missing. */
export function missingPrivileges(of: ProcessPrivileges = ownPrivileges()): MissingPrivileges | undefined {
  if (of.uid !== 0) {
    const why = "network namespaces, mounts and tap devices are made by root alone";
    return { problem: `is an ordinary user: ${why}`, remedy: "run it as root; access to /dev/kvm is not enough" };
  }
  // An unreadable map is no reason to refuse: what is missing then is said where it is needed.
  if (of.uidMap !== "" && !INITIAL_MAP.test(of.uidMap)) {
    const why = "the kernel lets it into no namespace of the host";
    return { problem: `is root of a user namespace: ${why}`, remedy: "run it as root outside of user namespaces" };
  }
  const lacking = lackingCapabilities(of.status);
  if (lacking.length === 0) return undefined;
  const remedy = "give it all capabilities (docker run --privileged; CapabilityBoundingSet= of a service)";
  return { problem: `is root without ${lacking.join(", ")}`, remedy };
}

/** @throws KataError KATA_PRIVILEGES */
export function requirePrivileges(): void {
  const missing = missingPrivileges();
  if (missing === undefined) return;
  const user = `uid ${String(process.geteuid?.() ?? -1)}`;
  throw new KataError("KATA_PRIVILEGES", `${user} cannot make a container: it ${missing.problem}`, {
    hint: missing.remedy,
  });
}

function lackingCapabilities(status: string): string[] {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (effective === undefined) return [];
  const bits = BigInt(`0x${effective}`);
  return Object.keys(NEEDED).filter((name) => (bits & (1n << (NEEDED[name] ?? 0n))) === 0n);
}

function ownPrivileges(): ProcessPrivileges {
  return { uid: process.geteuid?.() ?? -1, uidMap: read("/proc/self/uid_map"), status: read("/proc/self/status") };
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
