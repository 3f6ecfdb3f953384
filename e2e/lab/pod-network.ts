import type { LabSpec } from "./bundle.ts";

export const POD_NETWORK: { readonly pod: string; readonly host: string } = { pod: "10.211.0.2", host: "10.211.0.1" };

/** A shell script that makes the namespace /run/netns/pod, with a card whose other end is the host's. */
export const makePodNetwork = `
ip netns add pod
ip link add pod0 type veth peer name eth0 netns pod
ip addr add ${POD_NETWORK.host}/24 dev pod0
ip link set pod0 up
ip -n pod addr add ${POD_NETWORK.pod}/24 dev eth0
ip -n pod link set lo up
ip -n pod link set eth0 up
`;

/** Gives a container that namespace. */
export function inPodNetwork(spec: LabSpec): void {
  for (const entry of spec.linux.namespaces) if (entry.type === "network") entry.path = "/run/netns/pod";
}
