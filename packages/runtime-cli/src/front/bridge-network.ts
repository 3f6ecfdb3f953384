import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { NetworkNamespace, removeNamespace } from "@kata-ts/netns";
import { addNetwork, type PluginConfig, removeNetwork } from "./cni.ts";
import { NETWORK_NOTE, type NetworkNote, type PortMapping, readNote } from "./network-note.ts";
import { claimPorts, lockNetworks, type NetworkPlace, namespaceFor, namespacePath } from "./network-place.ts";

const BRIDGE_NAME = "kata0";

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

/**
 * Makes a network namespace for a container and connects it to the host's networks, by the distribution's CNI plugins.
 *
 * @returns the namespace's path; @throws NetnsError KATA_NETWORK; nothing is left then
 */
export async function makeBridge({ id, bundle, ports }: NetworkPlace): Promise<string> {
  const plugins = ports.length === 0 ? [BRIDGE] : [BRIDGE, portMap(ports)];
  const namespace = namespaceFor(id);
  const note: NetworkNote = { plugins, attachment: { containerId: id, namespace } };
  await claimPorts(bundle, ports, () => {
    writeFileSync(join(bundle, NETWORK_NOTE), JSON.stringify(note), { mode: 0o600, flush: true });
  });
  try {
    using made = NetworkNamespace.create();
    made.pin(namespace);
    using _lock = await lockNetworks();
    await addNetwork(plugins, note.attachment);
    return namespace;
  } catch (error) {
    await undoBridge(bundle).catch(() => undefined);
    throw error;
  }
}

/** Takes back what a bundle's container was given, and with the last one the bridge. Idempotent. */
export async function undoBridge(bundle: string): Promise<void> {
  const file = join(bundle, NETWORK_NOTE);
  if (!existsSync(file)) return;
  const { plugins, attachment } = readNote(file) ?? lostNote(basename(bundle));
  using _lock = await lockNetworks();
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
    attachment: { containerId: id, namespace: namespacePath(id) },
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
