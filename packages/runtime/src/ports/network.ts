import { hostNamespaceNetwork, NamespaceNetwork, type Network, noNetwork } from "@kata-ts/virtcontainers";
import type { Composition } from "../context.ts";

export async function makeNetwork({ configuration, warn }: Composition): Promise<Network> {
  const { network, newNetworkNamespace, qemu } = await configuration();
  const { model, vhost, limits, egress } = network;
  if (!newNetworkNamespace) return hostNamespaceNetwork;
  if (model === "none") return noNetwork;
  return new NamespaceNetwork({ model, vhost, limits, egress, queues: qemu.vcpus, warn });
}
