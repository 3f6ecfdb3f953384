import { BlockList } from "node:net";
import type { Endpoint, EndpointAddress, EndpointKind, Neighbour, Route } from "./endpoint.ts";
import { NetnsError } from "./errors.ts";
import { runBatch } from "./iproute.ts";
import { lostMetrics, type RouteMetrics, routeAttributes } from "./route-attributes.ts";

/** What is in a namespace, as far as a virtual machine can take it over. */
export interface NamespaceScan {
  /** In the order of their indexes. */
  readonly endpoints: readonly Endpoint[];
  /** Interfaces of the same kinds that are down or have no address: they are not used unless a request names them. */
  readonly idle: readonly Endpoint[];
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  /** Interfaces that have addresses, and are of no kind that a machine can take over. */
  readonly unsupported: readonly { readonly name: string; readonly kind: string }[];
  /** All interfaces, also those that are none of the machine's business. */
  readonly links: readonly { readonly name: string; readonly index: number }[];
  /** What the guest cannot have, in words. */
  readonly warnings: readonly string[];
}

const QUESTIONS = ["addr show", "route show table all", "neigh show nud permanent"];

/**
 * Looks at a namespace with one process. Interfaces that are down or have no address are not used: an engine that is
 * still at work on them will bring them up.
 */
export async function scanNamespace(namespace: string | undefined): Promise<NamespaceScan> {
  const answers = await runBatch("ip", namespace, QUESTIONS, { flags: ["-d", "-j"] });
  return readScan(answers);
}

/** @throws NetnsError KATA_NETWORK_UNSUPPORTED naming interface and kind */
export function requireSupported({ unsupported }: NamespaceScan): void {
  const [first] = unsupported;
  if (first === undefined) return;
  throw new NetnsError("KATA_NETWORK_UNSUPPORTED", `Unsupported network interface: ${first.name} (${first.kind})`, {
    hint: "veth, macvlan, macvtap, ipvlan, tap and PCI interfaces can be given to a virtual machine",
  });
}

/**
 * @param answers three JSON arrays, a line each, as `ip -d -j -batch` prints them
 * @throws NetnsError KATA_NETWORK for anything else
 */
export function readScan(answers: string): NamespaceScan {
  try {
    return understand(answers);
  } catch (error) {
    if (error instanceof NetnsError) throw error;
    throw new NetnsError("KATA_NETWORK", `ip's answer cannot be parsed: ${(error as Error).message}`, {
      cause: error,
      hint: "iproute2 5.10 and later is known to work",
    });
  }
}

function understand(answers: string): NamespaceScan {
  const [links = [], routes = [], neighbours = []] = answers
    .split("\n")
    .filter((line) => line.trim() !== "")
    // eslint-disable-next-line no-restricted-syntax -- ip's answer; readScan() refuses any that cannot be used
    .map((line) => JSON.parse(line) as unknown[]) as [IpLink[]?, IpRoute[]?, IpNeighbour[]?];
  const used = links.filter(isUsed);
  const devices = new Set(used.map(({ ifname }) => ifname));
  const ofGuest = routes.filter(({ dev }) => dev === undefined || devices.has(dev));
  const read = (link: IpLink): Endpoint[] => {
    const kind = kindOf(link);
    return kind === undefined ? [] : [readEndpoint(link, kind, routes)];
  };
  return {
    endpoints: used.flatMap(read),
    idle: links.filter((link) => !used.includes(link)).flatMap(read),
    routes: [...ofGuest.filter(isTellable).map(readRoute), ...peerRoutes(used)],
    neighbours: neighbours.filter((entry) => devices.has(entry.dev) && entry.lladdr !== undefined).map(readNeighbour),
    unsupported: used
      .filter((link) => kindOf(link) === undefined)
      .map((link) => ({ name: link.ifname, kind: nameOfKind(link) })),
    links: links.map(({ ifindex, ifname }) => ({ index: ifindex, name: ifname })),
    warnings: ofGuest.filter(isEngines).flatMap((route) => (isTellable(route) ? lostOf(route) : [untellable(route)])),
  };
}

interface IpAddress {
  readonly family: string;
  readonly local: string;
  /** The other end of a point-to-point address. */
  readonly address?: string;
  readonly prefixlen: number;
  readonly mngtmpaddr?: boolean;
  readonly temporary?: boolean;
}

interface IpLink {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly txqlen?: number;
  readonly address?: string;
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: { type?: string; multi_queue?: boolean } };
  readonly parentbus?: string;
  readonly parentdev?: string;
  readonly addr_info?: readonly IpAddress[];
}

interface IpRoute {
  readonly type?: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly via?: { readonly family: string; readonly host: string };
  readonly dev?: string;
  readonly table?: string;
  readonly protocol?: string;
  readonly scope?: string;
  readonly prefsrc?: string;
  readonly metric?: number;
  readonly flags?: readonly string[];
  readonly nexthops?: readonly unknown[];
  /** Only of IPv6 routes. */
  readonly pref?: string;
  readonly tos?: string;
  /** One object, for reasons of ip's. */
  readonly metrics?: readonly RouteMetrics[];
}

interface IpNeighbour {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string;
  readonly router?: unknown;
  readonly extern_learn?: unknown;
}

function isUsed(link: IpLink): boolean {
  return link.flags.includes("UP") && !link.flags.includes("LOOPBACK") && addressesOf(link).length > 0;
}

// What the kernel made of a router's word, the guest's kernel will make by itself.
function addressesOf(link: IpLink): IpAddress[] {
  return (link.addr_info ?? []).filter((entry) => entry.mngtmpaddr !== true && entry.temporary !== true);
}

const KINDS: Readonly<Record<string, EndpointKind>> = {
  veth: "veth",
  macvlan: "macvlan",
  macvtap: "macvtap",
  ipvlan: "ipvlan",
};

function kindOf({ linkinfo, parentbus }: IpLink): EndpointKind | undefined {
  const kind = linkinfo?.info_kind;
  if (kind === undefined) return parentbus === "pci" ? "physical" : undefined;
  if (kind === "tun") return linkinfo?.info_data?.type === "tap" ? "tap" : undefined;
  return Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
}

function nameOfKind({ linkinfo, parentbus }: IpLink): string {
  const kind = linkinfo?.info_kind;
  if (kind === "tun") return `tun of type ${linkinfo?.info_data?.type ?? "?"}`;
  return kind ?? `a device on bus ${parentbus ?? "?"}`;
}

function readEndpoint(link: IpLink, kind: EndpointKind, routes: readonly IpRoute[]): Endpoint {
  const multiQueue = link.linkinfo?.info_data?.multi_queue;
  return {
    kind,
    name: link.ifname,
    index: link.ifindex,
    mac: link.address ?? "",
    mtu: link.mtu,
    txQueueLength: link.txqlen ?? 0,
    noArp: link.flags.includes("NOARP"),
    addresses: addressesOf(link).map((entry) => readAddress(entry, link.ifname, routes)),
    ...(kind === "physical" && link.parentdev !== undefined ? { pciAddress: link.parentdev } : {}),
    ...(kind === "tap" ? { multiQueue: multiQueue === true } : {}),
  };
}

function readAddress(entry: IpAddress, device: string, routes: readonly IpRoute[]): EndpointAddress {
  const family = entry.family === "inet6" ? 6 : 4;
  const full = family === 6 ? 128 : 32;
  const connected = routes.some(
    ({ protocol, dev, dst, table = "main" }) =>
      protocol === "kernel" && dev === device && table === "main" && isNetworkOf(dst, entry),
  );
  return { family, address: entry.local, prefixLength: connected ? entry.prefixlen : full };
}

function isNetworkOf(destination: string, { family, local, prefixlen }: IpAddress): boolean {
  const [network = "", length] = destination.split("/");
  const type = family === "inet6" ? "ipv6" : "ipv4";
  if (length !== String(prefixlen) || network.includes(":") !== (type === "ipv6")) return false;
  const list = new BlockList();
  list.addSubnet(network, prefixlen, type);
  return list.check(local, type);
}

/** Those that an engine made: the guest's kernel makes its own. */
function isEngines({ protocol, table, type }: IpRoute): boolean {
  return protocol !== "kernel" && protocol !== "ra" && table !== "local" && type !== "local";
}

function isTellable(route: IpRoute): boolean {
  const { type = "unicast", table = "main", nexthops, dev, via, tos } = route;
  return (
    isEngines(route) &&
    type === "unicast" &&
    table === "main" &&
    nexthops === undefined &&
    via === undefined &&
    tos === undefined &&
    dev !== undefined
  );
}

function untellable({ type = "unicast", dst, table = "main", tos }: IpRoute): string {
  const which = `${type} ${dst} of table ${table}${tos === undefined ? "" : ` for TOS ${tos}`}`;
  return `route ${which} is not given to the guest: only single unicast routes of table main, for any TOS, are`;
}

/** Attributes that a guest receives, that it finds out itself, and that are the state of the host's kernel. */
const TOLD: ReadonlySet<string> = new Set([
  ...["type", "dst", "gateway", "dev", "table", "protocol", "scope", "prefsrc", "metric", "flags", "metrics", "pref"],
]);

function lostOf(route: IpRoute): string[] {
  const others = Object.keys(route).filter((name) => !TOLD.has(name));
  const lost = [...others, ...lostMetrics(route.metrics?.[0] ?? {})];
  return lost.length === 0
    ? []
    : [`route ${route.dst} dev ${route.dev ?? ""} is given to the guest without its ${lost.join(", ")}`];
}

const SCOPES: Readonly<Record<string, number>> = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 };

function readRoute(route: IpRoute): Route {
  const gateway = route.gateway ?? "";
  const sixth = route.pref !== undefined || route.dst.includes(":") || gateway.includes(":");
  const full = sixth ? "128" : "32";
  return {
    destination: route.dst === "default" ? "" : route.dst.includes("/") ? route.dst : `${route.dst}/${full}`,
    family: sixth ? 6 : 4,
    gateway,
    device: route.dev ?? "",
    source: route.prefsrc ?? "",
    scope: SCOPES[route.scope ?? "global"] ?? (Number(route.scope) || 0),
    metric: route.metric ?? 0,
    onLink: route.flags?.includes("onlink") ?? false,
    attributes: [
      ...routeAttributes(route.metrics?.[0] ?? {}),
      ...(route.pref === undefined || route.pref === "medium" ? [] : [`pref ${route.pref}`]),
    ],
  };
}

/** The far ends of point-to-point addresses: the kernel's routes to them are not made from an address alone. */
function peerRoutes(links: readonly IpLink[]): Route[] {
  return links.flatMap((link) =>
    addressesOf(link)
      .filter(({ address, local }) => address !== undefined && address !== local)
      .map(({ address = "", prefixlen, family, local }) => ({
        destination: `${address}/${String(prefixlen)}`,
        family: family === "inet6" ? (6 as const) : (4 as const),
        gateway: "",
        device: link.ifname,
        source: local,
        scope: SCOPES.link ?? 0,
        metric: 0,
        onLink: false,
        attributes: [],
      })),
  );
}

const NTF_EXT_LEARNED = 0x10;
const NTF_ROUTER = 0x80;

function readNeighbour(entry: IpNeighbour): Neighbour {
  return {
    family: entry.dst.includes(":") ? 6 : 4,
    address: entry.dst,
    device: entry.dev,
    mac: entry.lladdr ?? "",
    flags: ("router" in entry ? NTF_ROUTER : 0) | ("extern_learn" in entry ? NTF_EXT_LEARNED : 0),
  };
}
