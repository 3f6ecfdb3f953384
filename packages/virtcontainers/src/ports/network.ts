import type { NetworkNamespace } from "@kata-ts/netns";
import type { GuestInterface } from "../network/guest-view.ts";
import type { Agent } from "./agent.ts";
import type { Vm } from "./hypervisor.ts";

/** What connects a sandbox's network namespace to its VM. */
export interface Network {
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
  /** Compares the namespace of a running VM with what its guest has, and brings the guest up to date. */
  sync(vm: Vm, agent: Agent): Promise<void>;
  /** Gives an interface of the namespace, named by `device`, to a running guest. @throws KataError KATA_NETWORK_INTERFACE */
  add(vm: Vm, agent: Agent, wanted: GuestInterface): Promise<void>;
  /** Takes the one with this MAC address, or with this name, out of a running guest. @throws KataError KATA_NETWORK_INTERFACE */
  remove(vm: Vm, agent: Agent, unwanted: GuestInterface): Promise<void>;
}

/** Interfaces that are connected on the host's side. */
export interface NetworkAttachment extends Disposable {
  /** Gives them to the guest, with their addresses, routes and neighbours. */
  attach(vm: Vm, agent: Agent): Promise<void>;
}
