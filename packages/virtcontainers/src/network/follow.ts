import { NamespaceMonitor } from "@kata-ts/netns";
import { reasonOf } from "../errors.ts";
import type { ContainerId } from "../identifiers.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { Ports } from "../ports/ports.ts";
import { networkNamespaceOf } from "../vm/network-place.ts";
import { syncNetwork } from "./operations.ts";

/** Brings a sandbox's guest up to date whenever its network namespace changes: engines also attach networks to what runs. */
export function followNetwork(id: ContainerId, vm: VmState, ports: Ports): Disposable {
  return new NamespaceMonitor(networkNamespaceOf(vm), async () => {
    await syncNetwork(id, ports).catch((error: unknown) => {
      ports.warn(`the network of ${id} has changed, and its guest was not brought up to date: ${reasonOf(error)}`);
    });
  });
}
