/**
 * A network for a virtual machine without preparation: a router in a network namespace of its own, address translation by
 * nftables, names, published ports, and rules about what may be called. Linux, root, iproute2, nftables.
 *
 * @example
 * ```ts
 * import { NetworkNamespace } from "@kata-ts/netns";
 * import { NatNetwork } from "@kata-ts/netns/nat";
 *
 * using pod = NetworkNamespace.create();
 * const egress = { allow: ["*.npmjs.org:443"] };
 * await using network = await NatNetwork.create(pod, { egress, ports: [], warn: console.warn, onDecision: console.log });
 * // … a machine takes the interface of `pod`, and calls by network.gateway …
 * ```
 *
 * @module
 */
export { describeDecision, type EgressDecision } from "./decisions.ts";
export { type Egress, parseEgress } from "./egress-policy.ts";
export type { ConnectOptions } from "./guest-port.ts";
export { NatNetwork, type NatOptions } from "./nat-network.ts";
export type { PublishedPort, WantedPort } from "./published-ports.ts";
export type { GuestLink } from "./router.ts";
export { sweepNat } from "./sweep.ts";
