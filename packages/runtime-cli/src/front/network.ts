import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { howToInstall, lockFile } from "@kata-ts/linux";
import { NetnsError, NetworkNamespace, removeNamespace } from "@kata-ts/netns";
import { UsageError } from "../arguments/parse.ts";
import { addNetwork, cniDirectory, type PluginConfig, removeNetwork } from "./cni.ts";
import { NETWORK_NOTE, type NetworkNote, type PortMapping, portsOf, readNote } from "./network-note.ts";

const NAMESPACES = "/run/kata-ts/netns";
const BRIDGE_NAME = "kata0";
/** Its containers come and go at the same time. */
const LOCK = "/run/kata-ts/cni.lock";
const LOCK_DEADLINE_MS = 30_000;

/** A bridge on the host, behind which the host is the way out. */
const BRIDGE: PluginConfig = {
  type: "bridge",
  bridge: BRIDGE_NAME,
  isGateway: true,
  ipMasq: true,
  ipam: {
    type: "host-local",
    subnet: "10.87.0.0/16",
    routes: [{ dst: "0.0.0.0/0" }],
    dataDir: "/run/kata-ts/cni",
  },
};

/** `[ADDRESS:]HOST:GUEST[/tcp|/udp]`. @throws UsageError */
export function parsePort(mapping: string): PortMapping {
  const found = /^(?:(\d+(?:\.\d+){3}):)?(\d{1,5}):(\d{1,5})(?:\/(tcp|udp))?$/.exec(mapping);
  const [, hostIP, host = "", guest = "", protocol = "tcp"] = found ?? [];
  const [hostPort, containerPort] = [Number(host), Number(guest)];
  if (hostPort < 1 || hostPort > 65_535 || containerPort < 1 || containerPort > 65_535) {
    throw new UsageError(`--publish takes [ADDRESS:]HOSTPORT:PORT or that with /udp, not "${mapping}"`);
  }
  return {
    ...(hostIP === undefined ? {} : { hostIP }),
    hostPort,
    containerPort,
    protocol: protocol === "udp" ? "udp" : "tcp",
  };
}

/** Each port of the host leads to one place. @throws UsageError */
export function parsePorts(texts: readonly string[]): PortMapping[] {
  const ports = texts.map(parsePort);
  for (const [index, port] of ports.entries()) {
    const other = ports.slice(0, index).find((before) => collide(before, port));
    if (other !== undefined) throw new UsageError(`--publish has the host port ${nameOf(port)} twice`);
  }
  return ports;
}

function collide(one: PortMapping, other: PortMapping): boolean {
  const isSame = one.hostPort === other.hostPort && one.protocol === other.protocol;
  return isSame && (isAnyAddress(one) || isAnyAddress(other) || one.hostIP === other.hostIP);
}

function isAnyAddress({ hostIP }: PortMapping): boolean {
  return hostIP === undefined || hostIP === "0.0.0.0";
}

function nameOf({ hostPort, protocol }: PortMapping): string {
  return `${String(hostPort)}/${protocol}`;
}

/** @throws UsageError; NetnsError KATA_NETWORK where this machine cannot make what is wanted */
export function checkNetwork(wanted: string | undefined, ports: readonly PortMapping[]): void {
  if (wanted !== undefined && wanted !== "bridge" && wanted !== "none") {
    throw new UsageError(`--network takes bridge or none, not "${wanted}"`);
  }
  if (wanted === "none" && ports.length > 0) throw new UsageError("--publish needs a network");
  if ((wanted !== "bridge" && ports.length === 0) || cniDirectory() !== undefined) return;
  throw new NetnsError("KATA_NETWORK", "a network for kata run is made by the CNI plugins, and there are none", {
    hint: howToInstall("cni"),
  });
}

/** The CNI plugins let the first one have a port, and are silent about the second. @throws NetnsError KATA_NETWORK */
function refuseTaken(ports: readonly PortMapping[], bundle: string): void {
  for (const name of readdirSync(dirname(bundle)).filter((each) => each !== basename(bundle))) {
    const note = readNote(join(dirname(bundle), name, NETWORK_NOTE));
    const taken = note?.plugins.flatMap(portsOf) ?? [];
    const port = ports.find((each) => taken.some((other) => collide(each, other)));
    if (port === undefined) continue;
    throw new NetnsError("KATA_NETWORK", `the host port ${nameOf(port)} leads to ${name} already`, {
      hint: `choose another one, or kata stop ${name}`,
    });
  }
}

/**
 * Makes a network namespace for a container and connects it to the host's networks, by the distribution's CNI plugins.
 *
 * @param wanted `bridge`, `none`, or undefined: a bridge where there are ports
 * @param bundle the directory that what has to be undone is noted in
 * @returns the namespace's path; undefined: no network
 * @throws NetnsError KATA_NETWORK; nothing is left then
 */
export async function makeNetwork(
  wanted: string | undefined,
  { id, bundle, ports }: { readonly id: string; readonly bundle: string; readonly ports: readonly PortMapping[] },
): Promise<string | undefined> {
  checkNetwork(wanted, ports);
  if (wanted !== "bridge" && ports.length === 0) return undefined;
  const plugins = ports.length === 0 ? [BRIDGE] : [BRIDGE, portMap(ports)];
  const namespace = join(NAMESPACES, id);
  // The bundle's name is this call's alone: a namespace of that name is an earlier one's.
  removeNamespace(namespace);
  const note: NetworkNote = { plugins, attachment: { containerId: id, namespace } };
  mkdirSync(NAMESPACES, { recursive: true, mode: 0o700 });
  {
    // Of two that want one port at the same time, one sees the other's note.
    using _lock = await lockFile(LOCK, { deadlineMs: LOCK_DEADLINE_MS });
    refuseTaken(ports, bundle);
    writeFileSync(join(bundle, NETWORK_NOTE), JSON.stringify(note), { mode: 0o600, flush: true });
  }
  try {
    using made = NetworkNamespace.create();
    made.pin(namespace);
    using _lock = await lockFile(LOCK, { deadlineMs: LOCK_DEADLINE_MS });
    await addNetwork(plugins, note.attachment);
    return namespace;
  } catch (error) {
    await undoNetwork(bundle).catch(() => undefined);
    throw error;
  }
}

/** Takes back what a bundle's container was given, and with the last one the bridge. Idempotent. */
export async function undoNetwork(bundle: string): Promise<void> {
  const file = join(bundle, NETWORK_NOTE);
  if (!existsSync(file)) return;
  const { plugins, attachment } = readNote(file) ?? lostNote(basename(bundle));
  mkdirSync(dirname(LOCK), { recursive: true, mode: 0o711 }); // Gone with a reboot.
  using _lock = await lockFile(LOCK, { deadlineMs: LOCK_DEADLINE_MS });
  try {
    await removeNetwork(plugins, attachment);
  } finally {
    removeNamespace(attachment.namespace);
    await removeIdleBridge();
  }
}

/** What is noted for every container: plugins find what they have made by the container's id. */
function lostNote(id: string): NetworkNote {
  const anyPort: PortMapping = { hostPort: 1, containerPort: 1, protocol: "tcp" };
  return {
    plugins: [BRIDGE, portMap([anyPort])],
    attachment: { containerId: id, namespace: join(NAMESPACES, id) },
  };
}

function portMap(ports: readonly PortMapping[]): PluginConfig {
  return { type: "portmap", capabilities: { portMappings: true }, runtimeConfig: { portMappings: ports } };
}

async function removeIdleBridge(): Promise<void> {
  const ip = promisify(execFile);
  const { stdout } = await ip("ip", ["-o", "link", "show", "master", BRIDGE_NAME]).catch(() => ({ stdout: "gone" }));
  if (stdout === "") await ip("ip", ["link", "delete", BRIDGE_NAME]);
}

/** The host's name servers that can be reached from a namespace of its own; undefined where there are none. */
export function reachableResolvers(resolvConf: string): string | undefined {
  const lines = resolvConf.split("\n").filter((line) => !/^\s*nameserver\s+(?:127\.|::1)/.test(line));
  return lines.some((line) => /^\s*nameserver\s/.test(line)) ? `${lines.join("\n").trimEnd()}\n` : undefined;
}
