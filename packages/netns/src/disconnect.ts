import { type Connection, hasRules } from "./connection.ts";
import { runBatch } from "./iproute.ts";
import { returnPhysical } from "./return-physical.ts";
import { restoreAddresses } from "./saved-addresses.ts";

/**
 * Undoes connections, also half-made ones: the interfaces are again as the engine made them. Interfaces that are gone
 * are no error. Idempotent.
 *
 * @param namespace undefined where it has ended: then a device of the host's is all that there is to be given back
 */
export async function disconnect(namespace: string | undefined, connections: readonly Connection[]): Promise<void> {
  for (const connection of connections) {
    if (connection.model === "vfio") await returnPhysical(namespace, connection);
  }
  if (namespace === undefined) return;
  if (connections.some(hasRules)) await (await import("./filter/filters.ts")).removeFilters(namespace, connections);
  await runBatch("tc", namespace, connections.flatMap(qdiscCommands), { force: true });
  await runBatch("ip", namespace, connections.flatMap(linkCommands), { force: true });
  for (const connection of connections) {
    if (connection.model === "macvtap") await restoreAddresses(namespace, connection);
  }
}

function qdiscCommands(connection: Connection): string[] {
  if (connection.model === "tcfilter") {
    const { link, limits } = connection;
    return [
      ...(hasRules(connection) ? [] : [`qdisc del dev ${link} ingress`]),
      ...(limits.transmit > 0 ? [`qdisc del dev ${link} root`] : []),
    ];
  }
  return connection.model === "macvtap" && connection.limits.receive > 0
    ? [`qdisc del dev ${connection.link} ingress`]
    : [];
}

function linkCommands(connection: Connection): string[] {
  if (connection.model !== "tcfilter" && connection.model !== "macvtap") return [];
  const { tap, link, txQueueLength } = connection;
  const common = [`link del dev ${tap}`, `link set dev ${link} txqlen ${String(txQueueLength)}`];
  if (connection.model === "tcfilter") return common;
  const { limits, ifb, mac } = connection;
  return [...common, ...(limits.receive > 0 ? [`link del dev ${ifb}`] : []), `link set dev ${link} address ${mac}`];
}
