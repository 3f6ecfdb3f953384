import type { NetworkNamespace } from "@kata-ts/netns";
import type { GuestInterface } from "../network/guest-view.ts";
import type { Agent } from "./agent.ts";
import type { Vm } from "./hypervisor.ts";

/** What connects a sandbox's network namespace to its VM. */
export interface Network {
  /** What guests may call is limited: an engine's resolver, which asks others, is not asked for them. */
  readonly isLimited?: boolean;
  /**
   * The namespace that the VM's and the shims' processes are to live in.
   *
   * @param path a namespace that an engine has made; undefined: a new one
   * @returns undefined where they live in the caller's; @throws NetnsError KATA_NETNS
   */
  open(path: string | undefined): NetworkNamespace | undefined;
  /**
   * Joins the namespace's interfaces to taps, while the guest boots. What this changes is taken back when the VM ends.
   *
   * @throws NetnsError KATA_NETWORK, KATA_NETWORK_UNSUPPORTED
   */
  connect(vm: Vm, namespace: NetworkNamespace): Promise<NetworkAttachment>;
  /**
   * Takes all cards out of a running VM, which can be saved then: what a card is connected with does not come along.
   *
   * @throws KataError KATA_UNSUPPORTED for a device of the host's; the VM has its network as before then, and with any other error that
   *   does not name what it has lost. A card that the guest lets go of too late is given back then, or by the next `sync`
   */
  withdraw(vm: Vm, agent: Agent): Promise<WithdrawnNetwork>;
  /**
   * Compares the namespace of a running VM with what its guest has, and brings the guest up to date. What a `withdraw` has asked for that
   * failed, or was killed, is given back.
   */
  sync(vm: Vm, agent: Agent): Promise<void>;
  /** Gives an interface of the namespace, named by `device`, to a running guest. @throws KataError KATA_NETWORK_INTERFACE */
  add(vm: Vm, agent: Agent, wanted: GuestInterface): Promise<void>;
  /** Takes the one with this MAC address, or with this name, out of a running guest. @throws KataError KATA_NETWORK_INTERFACE */
  remove(vm: Vm, agent: Agent, unwanted: GuestInterface): Promise<void>;
}

/** The network of a VM that has no cards. No other call changes it until this is disposed of. */
export interface WithdrawnNetwork extends AsyncDisposable {
  /** Gives the cards back to the VM, which runs, with what is in its namespace by then. */
  giveBack(): Promise<void>;
}

/** Interfaces that are connected on the host's side. */
export interface NetworkAttachment extends Disposable {
  /** Gives them to the guest, with their addresses, routes and neighbours. */
  attach(vm: Vm, agent: Agent): Promise<void>;
}
