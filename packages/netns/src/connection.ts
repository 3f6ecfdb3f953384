import type { EndpointKind } from "./endpoint.ts";

/** How an interface of the namespace and the machine's tap are joined. */
export type InterworkingModel = "tcfilter" | "macvtap";

export interface RateLimits {
  /** Bits per second towards the machine; 0: unlimited. */
  readonly receive: number;
  /** Bits per second from the machine; 0: unlimited. */
  readonly transmit: number;
}

/**
 * Everything that joining an interface to a machine changes in its namespace: plain values, which are saved
 * before the change, so that any surviving process can undo it.
 */
interface Common {
  readonly endpoint: EndpointKind;
  /** The interface's name and index in the namespace. */
  readonly link: string;
  readonly index: number;
  /** What the machine's network card has to have. */
  readonly mac: string;
  readonly mtu: number;
  /** What it was; an interface that gets a qdisc loses a zero. */
  readonly txQueueLength: number;
  readonly queues: number;
}

/** A tap beside the interface, and filters that pass every frame from one to the other. */
export interface TcFilterConnection extends Common {
  readonly model: "tcfilter";
  readonly tap: string;
  readonly limits: RateLimits;
  /** Absent: every frame is passed on. */
  readonly rules?: ConnectionRules | undefined;
}

/** What is passed on of a machine's frames. */
export interface ConnectionRules {
  /** What it may call, as parseFilter takes it. */
  readonly egress: readonly string[];
  /** Its own addresses at first: from others it may send nothing. */
  readonly addresses: readonly string[];
}

/** A macvtap on the interface; it takes over the interface's MAC address, which therefore gets another. */
export interface MacvtapConnection extends Common {
  readonly model: "macvtap";
  readonly tap: string;
  readonly tapIndex: number;
  readonly limits: RateLimits;
  /** What frames towards the machine are queued on, where their rate is limited. */
  readonly ifb: string;
  readonly otherMac: string;
  readonly saved: SavedAddresses;
}

/** A tap or macvtap that was there: it is opened as it is. */
export interface DirectConnection extends Common {
  readonly model: "direct";
  readonly multiQueue: boolean;
}

/** A PCI device, taken from the host's driver. */
export interface PhysicalConnection extends Common {
  readonly model: "vfio";
  readonly pciAddress: string;
  /** The driver it is given back to; empty: it had none. */
  readonly driver: string;
  /** What the interface had in its namespace; absent in journals of earlier versions. */
  readonly saved?: SavedLink;
}

export type Connection = TcFilterConnection | MacvtapConnection | DirectConnection | PhysicalConnection;

export function hasRules(
  connection: Connection,
): connection is TcFilterConnection & { readonly rules: ConnectionRules } {
  return connection.model === "tcfilter" && connection.rules !== undefined;
}

/** What goes when an interface's MAC address changes and its addresses are taken away. */
export interface SavedAddresses {
  /** Output of `ip addr save`, base64. */
  readonly addresses: string;
  /** Arguments of `ip route replace`, those without a gateway first. */
  readonly routes: readonly string[];
  /** Arguments of `ip neigh replace`. */
  readonly neighbours: readonly string[];
}

/** What goes when an interface's device is taken from its driver. */
export interface SavedLink {
  readonly isUp: boolean;
  /** Arguments of `ip addr replace`, without the device. */
  readonly addresses: readonly string[];
  /** As in SavedAddresses. */
  readonly routes: readonly string[];
  readonly neighbours: readonly string[];
}
