/** The kinds of interface that can be given to a virtual machine. */
export type EndpointKind = "veth" | "macvlan" | "macvtap" | "ipvlan" | "tap" | "physical";

export interface EndpointAddress {
  readonly family: 4 | 6;
  readonly address: string;
  /** 32 or 128 where the kernel has no route to the address's network: engines may have taken it away. */
  readonly prefixLength: number;
}

/** An interface of the namespace that a virtual machine is to take over. */
export interface Endpoint {
  readonly kind: EndpointKind;
  readonly name: string;
  /** In its namespace; stays when the interface is renamed. */
  readonly index: number;
  readonly mac: string;
  readonly mtu: number;
  /** Frames; the kernel raises a zero when an interface gets a qdisc. */
  readonly txQueueLength: number;
  readonly noArp: boolean;
  readonly addresses: readonly EndpointAddress[];
  /** Of `physical`: where it sits, such as `0000:01:00.0`. */
  readonly pciAddress?: string;
  /** Of `tap`: whether it was made for several queues. */
  readonly multiQueue?: boolean;
}

export interface Route {
  /** A prefix in CIDR notation; empty: the default route, whose family is that of its gateway, or `family`. */
  readonly destination: string;
  readonly family: 4 | 6;
  /** Empty: the destination is on the link. */
  readonly gateway: string;
  readonly device: string;
  /** Preferred source address; empty: none. */
  readonly source: string;
  /** The kernel's number: 0 is global, 253 link. */
  readonly scope: number;
  readonly metric: number;
  /** What else it has, as `ip route` takes it: `mtu 1400`, `initcwnd 20`. */
  readonly attributes: readonly string[];
  /** The gateway counts as reachable although no route leads to it. */
  readonly onLink: boolean;
}

/** A permanent neighbour entry. */
export interface Neighbour {
  readonly family: 4 | 6;
  readonly address: string;
  readonly device: string;
  readonly mac: string;
  /** NTF_ flags of the kernel, such as 0x80 for a router. */
  readonly flags: number;
}
