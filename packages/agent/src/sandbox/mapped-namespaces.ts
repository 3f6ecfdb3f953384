import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import type { RuntimeSpec, SpecIdMapping } from "@kata-ts/agent-protocol";
import {
  createPipe,
  identifyProcess,
  inNamespace,
  openPollable,
  setHostname,
  signalProcess,
  spawnProcess,
} from "@kata-ts/linux";
import type { Mappings, SharedNamespaces } from "../container/guest-spec.ts";
import { internal } from "../errors.ts";

/** What config.json says of a container's user namespace. */
export interface WantedUsers {
  readonly mappings: Mappings;
  /** A path of the host leads to another container's user namespace, whose mappings count instead of these. */
  readonly joined: boolean;
}

/** Namespaces that a user namespace owns: only there may its containers set a hostname or mount a message queue. */
export interface MappedNamespaces {
  shared(pid: boolean): SharedNamespaces;
  remove(): void;
}

/** Undefined for a container without a user namespace. */
export function wantedUsers({ linux = {} }: RuntimeSpec): WantedUsers | undefined {
  const namespace = linux.namespaces?.find(({ type }) => type === "user");
  if (namespace === undefined) return undefined;
  const { uidMappings = [], gidMappings = [] } = linux;
  return { mappings: { uidMappings, gidMappings }, joined: (namespace.path ?? "") !== "" };
}

/** The lines of /proc/PID/uid_map and gid_map. */
export function mapLines(mappings: readonly SpecIdMapping[]): string {
  return mappings
    .map(({ containerID, hostID, size }) => `${String(containerID)} ${String(hostID)} ${String(size)}\n`)
    .join("");
}

/** The ports and the echo requests of containers whose users are mapped: the network is the VM's, where they have no privilege. */
const NETWORK = { ip_unprivileged_port_start: "0", ping_group_range: "0 2147483647" } as const;

/**
 * Makes a user namespace with these mappings, and UTS, IPC and PID namespaces that it owns. A process of ours keeps them:
 * the first of the PID namespace, which collects the orphans in it.
 *
 * @throws AgentRpcError for mappings that the kernel refuses; nothing is left then
 */
export async function makeMapped(mappings: Mappings, hostname: string): Promise<MappedNamespaces> {
  const pid = await startHolder();
  const holder = identifyProcess(pid);
  const path = (kind: string): string => `/proc/${String(pid)}/ns/${kind}`;
  try {
    writeFileSync(`/proc/${String(pid)}/uid_map`, mapLines(mappings.uidMappings));
    writeFileSync(`/proc/${String(pid)}/gid_map`, mapLines(mappings.gidMappings));
    inNamespace("uts", path("uts"), () => {
      if (hostname !== "") setHostname(hostname);
    });
    for (const [name, value] of Object.entries(NETWORK)) writeFileSync(`/proc/sys/net/ipv4/${name}`, value);
  } catch (error) {
    signalProcess(holder, "SIGKILL");
    const { code } = error as NodeJS.ErrnoException;
    throw internal(`linux.uidMappings, linux.gidMappings: the guest's kernel refuses them: ${code ?? String(error)}`);
  }
  return {
    shared: (withPid) => ({
      mappings,
      user: path("user"),
      ipc: path("ipc"),
      uts: path("uts"),
      pid: withPid ? path("pid") : undefined,
    }),
    remove: () => {
      signalProcess(holder, "SIGKILL");
    },
  };
}

const UNSHARE = ["-U", "-u", "-i", "-p", "-f", "sh", "-c", "echo; exec tini-static -- sleep infinity >/dev/null"];

/** @returns the pid of the first process of the PID namespace, once it is in all of them */
async function startHolder(): Promise<number> {
  const nothing = openSync("/dev/null", "r+");
  const ready = createPipe();
  let parent: number;
  try {
    parent = spawnProcess("unshare", UNSHARE, [nothing, ready.write, nothing]);
  } finally {
    for (const fd of [nothing, ready.write]) closeSync(fd);
  }
  // The parent keeps the pipe, too: one line is waited for.
  const said = openPollable(ready.read, { readable: true, writable: false });
  try {
    await Promise.race([once(said, "data"), once(said, "end")]);
  } finally {
    said.destroy();
  }
  const [child] = readFileSync(`/proc/${String(parent)}/task/${String(parent)}/children`, "latin1").split(" ");
  if (child === undefined || child === "") throw internal("the guest could not make a user namespace");
  return Number(child);
}
