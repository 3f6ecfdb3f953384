import { existsSync, writeFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import type { types } from "@kata-ts/agent-protocol";
import type { Commands } from "../commands.ts";
import { invalidArgument } from "../errors.ts";
import { waitForLink } from "./find-link.ts";
import { checkedAddress, checkedMac, checkedName, checkedPrefix, ipBatch } from "./ip.ts";
import { type GuestLink, readLinks, toInterface } from "./links.ts";

const IFF_NOARP = 0x80;

/**
 * Makes an interface as it is wanted: name, MTU, flags, and exactly these addresses. What is right already stays, so
 * that connections over it do.
 *
 * @throws AgentRpcError DEADLINE_EXCEEDED when its card does not appear, INTERNAL when the kernel refuses
 */
export async function updateInterface(
  commands: Commands,
  wanted: types.Interface.$Properties,
): Promise<types.Interface.$Properties> {
  const name = checkedName(wanted.name ?? "");
  const pciPath = wanted.pciPath ?? "";
  const mac = pciPath === "" || (wanted.hwAddr ?? "") !== "" ? checkedMac(wanted.hwAddr ?? "") : "";
  const current = await waitForLink({ pciPath, mac });
  const links = await readLinks(commands);
  const link = links.find(({ ifname }) => ifname === current);
  if (link === undefined) throw invalidArgument(`interface ${current} has gone`);
  const addresses = (wanted.IPAddresses ?? []).map(({ address, mask }) => ({
    sixth: isIPv6(address ?? ""),
    prefix: checkedPrefix(`${checkedAddress(address ?? "")}/${mask ?? ""}`),
  }));
  const what = `interface ${name}`;
  await ipBatch(commands, what, rename(link, name, links));
  switchIpv6(
    name,
    addresses.some(({ sixth }) => sixth),
  );
  const [after] = await ipBatch<GuestLink>(commands, what, [
    ...(Number(wanted.mtu ?? 0) === 0 ? [] : [`link set dev ${name} mtu ${String(Number(wanted.mtu))}`]),
    `link set dev ${name} arp ${((wanted.raw_flags ?? 0) & IFF_NOARP) === 0 ? "on" : "off"}`,
    // The addresses are all given: the kernel is not to add a link-local one of its own.
    `link set dev ${name} addrgenmode none`,
    ...changedAddresses(link, addresses, name),
    `link set dev ${name} up`,
    `addr show dev ${name}`,
  ]);
  return after === undefined ? wanted : toInterface(after);
}

/** An interface cannot be renamed while it is up, nor to a name that another has: that one steps aside. */
function rename(link: GuestLink, name: string, links: readonly GuestLink[]): string[] {
  if (link.ifname === name) return [];
  const aside = links.some(({ ifname }) => ifname === name) ? [...moved(name, freeName(links))] : [];
  return [...aside, ...moved(link.ifname, name)];
}

function moved(from: string, to: string): string[] {
  return [`link set dev ${from} down`, `link set dev ${from} name ${to}`];
}

function freeName(links: readonly GuestLink[]): string {
  for (let number = 0; ; number++) {
    const name = `aside${String(number)}`;
    if (!links.some(({ ifname }) => ifname === name)) return name;
  }
}

interface WantedAddress {
  readonly sixth: boolean;
  readonly prefix: string;
}

function changedAddresses(link: GuestLink, wanted: readonly WantedAddress[], name: string): string[] {
  const present = (link.addr_info ?? []).map(({ local, prefixlen }) => `${local}/${String(prefixlen)}`);
  const surplus = present.filter((address) => !wanted.some(({ prefix }) => prefix === address));
  const missing = wanted.filter(({ prefix }) => !present.includes(prefix));
  return [
    ...surplus.map((address) => `addr del ${address} dev ${name}`),
    // No other machine has them: the host has seen to that. No waiting for the detection of duplicates.
    ...missing.map(({ prefix, sixth }) => `addr add ${prefix} dev ${name} ${sixth ? "nodad" : "brd +"}`),
  ];
}

function switchIpv6(name: string, on: boolean): void {
  const path = `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`;
  if (existsSync(path)) writeFileSync(path, on ? "0" : "1");
}
