import type { InterworkingModel } from "@kata-ts/netns";
import type { Egress } from "@kata-ts/netns/nat";

/** A network of the sandbox's own (`nat`), its loopback only (`none`), or a namespace that another program has made. */
export type SandboxNetworkChoice = "nat" | "none" | NetworkOptions;

export interface NetworkOptions {
  /** A path to the network namespace that the VM takes over, such as `/run/netns/pod`; never the caller's own. */
  readonly namespace: string;
  /** `tcfilter` by default. */
  readonly model?: InterworkingModel;
  /** Lines of resolv.conf, for the guest's own programs; containers have their files as mounts. */
  readonly dns?: readonly string[];
}

/** A port of the host that leads to one of the sandbox's. */
export interface PortOptions {
  /** Of the host; 0, the default, is any that is free: `sandbox.ports` says which. */
  readonly host?: number;
  /** Where a program of a container listens, on 0.0.0.0. */
  readonly container: number;
  /** `tcp` by default. */
  readonly protocol?: "tcp" | "udp";
  /** The host's address that is listened at; 127.0.0.1 by default. 0.0.0.0 is all of them. */
  readonly address?: string;
}

/** What of a sandbox's options is about its network. */
export interface NetworkedOptions {
  /** `none` by default. */
  readonly network?: SandboxNetworkChoice;
  /** With the network `nat`. */
  readonly ports?: readonly PortOptions[];
  /**
   * With the network `nat`: what the sandbox may call. `all` by default; a list has names (`example.org`, `*.example.org`), IPv4
   * addresses and ranges (`10.1.0.0/16`), each with a port (`:443`) if only that is meant.
   */
  readonly egress?: Egress;
}
