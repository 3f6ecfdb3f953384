import { closeSync } from "node:fs";
import { inNamespace, openMacvtap, openTap } from "@kata-ts/linux";
import { type Connection, hasRules, type TcFilterConnection } from "./connection.ts";
import { runBatch } from "./iproute.ts";
import { bindToVfio } from "./physical.ts";
import { limitMacvtap, limitTcFilter } from "./rate-limit.ts";

/** The machine's ends of connections. Closing them before a machine has them ends the taps. */
export class OpenConnections implements Disposable {
  /** The queues of each connection, in their order; none for a physical device. */
  readonly descriptors: readonly (readonly number[])[];

  constructor(descriptors: readonly (readonly number[])[]) {
    this.descriptors = descriptors;
  }

  [Symbol.dispose](): void {
    for (const fd of this.descriptors.flat()) closeSync(fd);
  }
}

/**
 * Joins the interfaces to taps as planned, with one process of `ip` and one of `tc` for all. On failure, and when the
 * machine is gone, `disconnect` takes back what came about.
 *
 * @throws NetnsError KATA_NETWORK, LinuxError
 */
export async function connect(namespace: string, connections: readonly Connection[]): Promise<OpenConnections> {
  const opened: number[][] = [];
  try {
    await runBatch("ip", namespace, connections.flatMap(macvtapCommands));
    for (const connection of connections) opened.push(openQueues(namespace, connection));
    await runBatch("ip", namespace, connections.flatMap(tapCommands));
    await runBatch("tc", namespace, connections.flatMap(filterCommands));
    if (connections.some(hasRules)) await (await import("./filter/filters.ts")).addFilters(namespace, connections);
    return new OpenConnections(opened);
  } catch (error) {
    for (const fd of opened.flat()) closeSync(fd);
    throw error;
  }
}

function openQueues(namespace: string, connection: Connection): number[] {
  const { model, link, index, queues } = connection;
  if (model === "vfio") {
    bindToVfio(connection.pciAddress);
    return [];
  }
  return inNamespace("net", namespace, () => {
    if (model === "macvtap") return openMacvtap(connection.tap, connection.tapIndex, queues);
    // By its header a frame's sender has the kernel write a checksum wherever it likes, after the rules have compared the frame.
    if (model === "tcfilter") return openTap(connection.tap, { queues, hasHeader: !hasRules(connection) });
    if (connection.endpoint === "macvtap") return openMacvtap(link, index, queues);
    return openTap(link, { queues, multiQueue: connection.multiQueue });
  });
}

// The macvtap has to exist before its node can be opened. The addresses go first: from then on the machine answers.
function macvtapCommands(connection: Connection): string[] {
  if (connection.model !== "macvtap") return [];
  const { link, tap, tapIndex, mac, mtu, otherMac, limits, ifb } = connection;
  return [
    `addr flush dev ${link}`,
    `link set dev ${link} address ${otherMac}`,
    `link add link ${link} name ${tap} index ${String(tapIndex)} address ${mac} mtu ${String(mtu)} type macvtap mode bridge`,
    `link set dev ${tap} addrgenmode none`,
    `link set dev ${tap} up`,
    ...(limits.receive > 0
      ? [`link add ${ifb} type ifb`, `link set dev ${ifb} addrgenmode none`, `link set dev ${ifb} up`]
      : []),
  ];
}

// Without an address of its own the tap says nothing to the machine: neither router solicitations nor reports.
function tapCommands(connection: Connection): string[] {
  if (connection.model !== "tcfilter") return [];
  const { tap, mtu } = connection;
  return [`link set dev ${tap} addrgenmode none`, `link set dev ${tap} mtu ${String(mtu)}`, `link set dev ${tap} up`];
}

function filterCommands(connection: Connection): string[] {
  if (hasRules(connection)) return limitTcFilter(connection);
  if (connection.model === "tcfilter") return [...redirectBothWays(connection), ...limitTcFilter(connection)];
  if (connection.model === "macvtap") return limitMacvtap(connection);
  return [];
}

function redirectBothWays({ link, tap }: TcFilterConnection): string[] {
  return [...redirect(tap, link), ...redirect(link, tap)];
}

/** Every frame that comes in at one interface goes out at the other. */
function redirect(from: string, to: string): string[] {
  return [
    `qdisc add dev ${from} ingress`,
    `filter add dev ${from} parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev ${to}`,
  ];
}
