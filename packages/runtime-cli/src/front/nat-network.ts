import { identifyProcess, type ProcessIdentity } from "@kata-ts/linux";
import { NetworkNamespace } from "@kata-ts/netns";
import type { Egress } from "@kata-ts/netns/nat";
import { type HeldNetwork, holdNetwork } from "./held-network.ts";
import { writeNatNote } from "./nat-note.ts";
import { NetworkHolder } from "./network-holder.ts";
import type { PortMapping } from "./network-note.ts";
import { claimPorts, type NetworkPlace, namespaceFor } from "./network-place.ts";
import { undoNat } from "./undo-network.ts";

export interface NatPlace extends NetworkPlace {
  readonly egress: Egress;
  /** A process of its own keeps it. */
  readonly detached: boolean;
  /** The program that is called as `kata`, with what stands before its command. */
  readonly kata: readonly [string, ...string[]];
  readonly signal: AbortSignal;
  /** Called with each decision that this process makes. */
  readonly onDecision: (text: string) => void;
}

export interface NatForContainer extends HeldNetwork, AsyncDisposable {
  readonly namespace: string;
  /** From now on it lives as long as the container. */
  release(): void;
}

/**
 * Makes a network namespace for a container, with a router of its own between that and the host. In the foreground this process keeps it,
 * which is there anyway.
 *
 * @throws NetnsError KATA_NETWORK; nothing is left then
 */
export async function makeNat(place: NatPlace): Promise<NatForContainer> {
  const { id, bundle } = place;
  const namespace = namespaceFor(id);
  // The others are known when the network is there.
  const known = place.ports.filter(({ hostPort }) => hostPort !== 0);
  const note = (keeper: ProcessIdentity, ports: readonly PortMapping[] = known): void => {
    writeNatNote(bundle, { namespace, keeper, ports });
  };
  const own = identifyProcess(process.pid);
  const ports = await claimPorts(bundle, place.ports, () => {
    note(own);
  });
  try {
    using made = NetworkNamespace.create();
    made.pin(namespace);
    const network = await (place.detached
      ? byHolder({ ...place, ports }, namespace, note)
      : byThis({ ...place, ports }, namespace));
    note(network.keeper, network.ports);
    return { ...network, namespace };
  } catch (error) {
    await undoNat(bundle).catch(() => undefined);
    throw error;
  }
}

type Kept = Omit<NatForContainer, "namespace"> & { readonly keeper: ProcessIdentity };

async function byThis({ egress, ports, bundle, onDecision }: NatPlace, namespace: string): Promise<Kept> {
  const network = await holdNetwork({ namespace, egress, ports, bundle }, onDecision);
  return { ...network, keeper: identifyProcess(process.pid), release: () => undefined };
}

async function byHolder(
  { id, egress, ports, bundle, kata, signal }: NatPlace,
  namespace: string,
  onStart: (keeper: ProcessIdentity) => void,
): Promise<Kept> {
  const holder = await NetworkHolder.start({ id, namespace, egress, ports, bundle }, { kata, signal, onStart });
  const release = (): void => {
    holder.release();
  };
  // The bundle's end ends it.
  return { ...holder.network, keeper: holder.keeper, release, [Symbol.asyncDispose]: () => Promise.resolve() };
}
