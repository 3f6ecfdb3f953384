/**
 * Network namespaces for virtual machines: make and enter them, see what an engine has put there, and join each
 * interface to a tap that QEMU takes over. Linux, root, iproute2.
 *
 * @example
 * ```ts
 * import { connect, disconnect, planConnections, scanNamespace } from "@kata-ts/netns";
 *
 * const { endpoints, links } = await scanNamespace("/run/netns/pod");
 * const taken = links.map(({ name }) => name);
 * const connections = await planConnections("/run/netns/pod", endpoints, { model: "tcfilter", queues: 1, taken });
 * using taps = await connect("/run/netns/pod", connections);
 * // … QEMU runs with taps.descriptors, and ends …
 * await disconnect("/run/netns/pod", connections);
 * ```
 *
 * @module
 */

export { connect, OpenConnections } from "./connect.ts";
export type {
  Connection,
  ConnectionRules,
  DirectConnection,
  InterworkingModel,
  MacvtapConnection,
  PhysicalConnection,
  RateLimits,
  SavedAddresses,
  SavedLink,
  TcFilterConnection,
} from "./connection.ts";
export { disconnect } from "./disconnect.ts";
export type { Endpoint, EndpointAddress, EndpointKind, Neighbour, Route } from "./endpoint.ts";
export { NetnsError, type NetnsErrorCode } from "./errors.ts";
export { parseFilter } from "./filter/filter-policy.ts";
export { type BatchOptions, runBatch } from "./iproute.ts";
export { ConnectionJournal } from "./journal.ts";
export type { JournalEntry } from "./journal-shape.ts";
export { redirectLoopback, undoRedirectLoopback } from "./loopback-redirect.ts";
export { NamespaceMonitor } from "./monitor.ts";
export {
  inNetworkNamespace,
  isNamespace,
  isNetworkNamespace,
  type NamespaceIdentity,
  NetworkNamespace,
  removeNamespace,
  sameNetworkNamespace,
} from "./namespace.ts";
export { bindToVfio, driverOf, giveBackToHost } from "./physical.ts";
export { type PlanOptions, planConnections } from "./plan.ts";
export { type NamespaceScan, readScan, requireSupported, scanNamespace } from "./scan.ts";
export { openVhostNet } from "./vhost.ts";
