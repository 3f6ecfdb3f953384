import { type grpc, IPFamily, type types } from "@kata-ts/agent-protocol";
import type { Endpoint, EndpointAddress, Neighbour, Route } from "@kata-ts/netns";

/** An interface as the guest gets it. */
export type GuestInterface = types.Interface.$Properties;
export type GuestRoute = types.Route.$Properties;

const IFF_NOARP = 0x80;
const RTNH_F_ONLINK = 4;
const NUD_PERMANENT = 0x80;

export function guestInterface(endpoint: Endpoint, pciPath: string): GuestInterface {
  const { name, mac, mtu, noArp, addresses } = endpoint;
  return {
    device: name,
    name,
    IPAddresses: addresses.map(guestAddress),
    mtu,
    hwAddr: mac,
    pciPath,
    type: "",
    raw_flags: noArp ? IFF_NOARP : 0,
  };
}

function guestAddress({ family, address, prefixLength }: EndpointAddress): types.IPAddress.$Properties {
  return { family: family === 6 ? IPFamily.v6 : IPFamily.v4, address, mask: String(prefixLength) };
}

export function guestRoute(route: Route): GuestRoute {
  const { destination, family, gateway, device, source, scope, metric, onLink, attributes } = route;
  // An empty destination is the default route, of its gateway's family.
  const ambiguous = destination === "" && family === 6 && gateway === "";
  return {
    dest: ambiguous ? "::/0" : destination,
    gateway,
    device,
    source,
    scope,
    flags: onLink ? RTNH_F_ONLINK : 0,
    metric,
    attributes: [...attributes],
  };
}

export function guestNeighbours(neighbours: readonly Neighbour[]): grpc.ARPNeighbors.$Properties {
  return {
    ARPNeighbors: neighbours.map(({ family, address, device, mac, flags }) => ({
      toIPAddress: { family: family === 6 ? IPFamily.v6 : IPFamily.v4, address, mask: "" },
      device,
      lladdr: mac,
      state: NUD_PERMANENT,
      flags,
    })),
  };
}
