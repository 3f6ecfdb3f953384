import type { EventEmitter } from "node:events";
import type { SpecMount } from "@kata-ts/agent-protocol";
import type { NetworkNamespace } from "@kata-ts/netns";
import {
  type EgressDecision,
  type GuestLink,
  NatNetwork,
  type NatOptions,
  type PublishedPort,
} from "@kata-ts/netns/nat";
import { KataError } from "../errors.ts";
import type { Network } from "../ports/network.ts";
import type { Ports } from "../ports/ports.ts";
import { publishDecision, type SandboxEvents } from "./events.ts";
import type { NetworkedOptions, PortOptions } from "./network-options.ts";

/** A sandbox's network on the host's side. */
export class SandboxNetwork implements AsyncDisposable {
  /** What its processes live in; undefined: the caller's. Closed by who opened this, once the VM runs in it. */
  readonly namespace: NetworkNamespace | undefined;
  /** Lines of resolv.conf for the guest's own programs. */
  readonly dns: readonly string[];
  readonly #nat: NatNetwork | undefined;
  #closing: Promise<void> | undefined;

  private constructor(namespace: NetworkNamespace | undefined, dns: readonly string[], nat: NatNetwork | undefined) {
    this.namespace = namespace;
    this.dns = dns;
    this.#nat = nat;
  }

  /** @throws NetnsError KATA_NETWORK, KATA_NETNS; nothing is left then */
  static async open(
    { network: choice = "none", ports = [], egress = "all" }: NetworkedOptions,
    network: Network,
    { warn, onDecision, link }: Pick<NatOptions, "warn" | "onDecision" | "link">,
  ): Promise<SandboxNetwork> {
    if (choice === "none") return new SandboxNetwork(undefined, [], undefined);
    if (choice !== "nat") return new SandboxNetwork(network.open(choice.namespace), choice.dns ?? [], undefined);
    const namespace = network.open(undefined);
    if (namespace === undefined)
      throw new KataError("KATA_UNSUPPORTED", "this host's port `network` makes no namespaces");
    try {
      const nat = await NatNetwork.create(namespace, {
        egress,
        ports: ports.map(published),
        warn,
        onDecision,
        link,
      });
      return new SandboxNetwork(namespace, [`nameserver ${nat.gateway}`], nat);
    } catch (error) {
      namespace[Symbol.dispose]();
      throw error;
    }
  }

  /** Of a network of the sandbox's own: NatOptions.link of one that its guest can go on in. */
  get link(): GuestLink | undefined {
    return this.#nat?.link;
  }

  get hasNat(): boolean {
    return this.#nat !== undefined;
  }

  get ports(): readonly PublishedPort[] {
    return this.#nat?.ports ?? [];
  }

  /** What containers get, that have this library's defaults: how they find names. */
  get mounts(): readonly SpecMount[] {
    if (this.#nat === undefined) return [];
    const { resolvConf } = this.#nat;
    return [{ destination: "/etc/resolv.conf", type: "bind", source: resolvConf, options: ["bind", "ro"] }];
  }

  /** @throws KataError KATA_UNSUPPORTED for a sandbox without a network of its own */
  get nat(): NatNetwork {
    if (this.#nat !== undefined) return this.#nat;
    throw new KataError("KATA_UNSUPPORTED", "this sandbox has no network of its own to be reached by", {
      hint: 'Sandbox.create({ network: "nat" }) makes one',
    });
  }

  /** Idempotent. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#nat?.[Symbol.asyncDispose]() ?? Promise.resolve();
    return this.#closing;
  }
}

/** The network of the sandbox with this id, whose decisions become its events. */
export async function openNetwork(
  id: string,
  options: NetworkedOptions,
  { network, warn }: Pick<Ports, "network" | "warn">,
  { events, link }: { readonly events: EventEmitter<SandboxEvents>; readonly link?: GuestLink | undefined },
): Promise<SandboxNetwork> {
  const onDecision = (decision: EgressDecision): void => {
    publishDecision(decision, id);
    events.emit("egress", decision);
  };
  return SandboxNetwork.open(options, network, { onDecision, warn, link });
}

function published({ host = 0, container, protocol = "tcp", address = "127.0.0.1" }: PortOptions): PublishedPort {
  return { host, container, protocol, address };
}
