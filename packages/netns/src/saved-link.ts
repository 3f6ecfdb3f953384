import type { SavedLink } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";
import { runBatch } from "./iproute.ts";
import { saveAddresses } from "./saved-addresses.ts";

interface AddressInfo {
  readonly local: string;
  readonly prefixlen: number;
  readonly broadcast?: string;
  readonly scope?: string;
  readonly label?: string;
  readonly address?: string;
  readonly noprefixroute?: boolean;
  readonly dynamic?: boolean;
}

interface LinkInfo {
  readonly flags: readonly string[];
  readonly addr_info: readonly AddressInfo[];
}

/** Saves the settings that an interface loses when its device leaves the host's driver: the driver's next interface has none. */
export async function saveLink(namespace: string, endpoint: Pick<Endpoint, "name">): Promise<SavedLink> {
  const json = await runBatch("ip", namespace, [`addr show dev ${endpoint.name}`], { flags: ["-j"] });
  // eslint-disable-next-line no-restricted-syntax -- ip's answer; a field that is missing is an interface without it
  const [link] = JSON.parse(json) as LinkInfo[];
  const { routes, neighbours } = await saveAddresses(namespace, endpoint);
  return {
    isUp: link?.flags.includes("UP") === true,
    addresses: (link?.addr_info ?? []).filter(({ dynamic }) => dynamic !== true).map(addressArguments),
    routes,
    neighbours,
  };
}

function addressArguments({ local, prefixlen, broadcast, scope, label, address, noprefixroute }: AddressInfo): string {
  const words =
    address === undefined ? [`${local}/${String(prefixlen)}`] : [local, "peer", `${address}/${String(prefixlen)}`];
  if (broadcast !== undefined) words.push("broadcast", broadcast);
  if (scope !== undefined) words.push("scope", scope);
  // IPv4 addresses have labels, IPv6 ones have none.
  if (label !== undefined && !local.includes(":")) words.push("label", label);
  if (local.includes(":")) words.push("nodad");
  if (noprefixroute === true) words.push("noprefixroute");
  return words.join(" ");
}

/** Restores the settings on the interface of that name, which has just appeared. A command that fails does not keep the others from running. */
export async function restoreLink(
  namespace: string,
  {
    link,
    mac,
    mtu,
    txQueueLength,
  }: { readonly link: string; readonly mac: string; readonly mtu: number; readonly txQueueLength: number },
  { isUp, addresses, routes, neighbours }: SavedLink,
): Promise<void> {
  const commands = [
    `link set dev ${link} address ${mac}`,
    `link set dev ${link} mtu ${String(mtu)}`,
    `link set dev ${link} txqlen ${String(txQueueLength)}`,
    ...addresses.map((address) => `addr replace ${address} dev ${link}`),
    ...(isUp ? [`link set dev ${link} up`] : []),
    ...routes.map((route) => `route replace ${route}`),
    ...neighbours.map((neighbour) => `neigh replace ${neighbour}`),
  ];
  await runBatch("ip", namespace, commands, { force: true });
}
