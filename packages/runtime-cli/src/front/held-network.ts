import { NetworkNamespace } from "@kata-ts/netns";
import { describeDecision, type Egress, NatNetwork, type PublishedPort, type WantedPort } from "@kata-ts/netns/nat";
import { NetworkLog } from "./network-log.ts";
import type { PortMapping } from "./network-note.ts";

/** What a container wants of the network nat. */
export interface HeldNetworkRequest {
  /** A path to its pinned network namespace. */
  readonly namespace: string;
  readonly egress: Egress;
  readonly ports: readonly PortMapping[];
  /** The bundle that decisions are logged in. */
  readonly bundle: string;
}

/** What its container has to know. */
export interface HeldNetwork {
  readonly address: string;
  /** Of its resolver. */
  readonly gateway: string;
  /** Each has its port of the host. */
  readonly ports: readonly PortMapping[];
  readonly warnings: readonly string[];
}

/** Makes a container's network nat, which ends with the calling process, or when it is disposed of. @throws NetnsError KATA_NETWORK */
export async function holdNetwork(
  { namespace, egress, ports, bundle }: HeldNetworkRequest,
  onDecision: (text: string) => void = () => undefined,
): Promise<HeldNetwork & AsyncDisposable> {
  using pod = NetworkNamespace.open(namespace);
  const log = new NetworkLog(bundle);
  const warnings: string[] = [];
  const network = await NatNetwork.create(pod, {
    egress,
    ports: ports.map(published),
    warn: (message) => warnings.push(message),
    note: log.write,
    onDecision: (decision) => {
      const text = describeDecision(decision);
      log.write(text);
      onDecision(text);
    },
  });
  for (const message of warnings) log.write(message);
  return {
    address: network.address,
    gateway: network.gateway,
    ports: network.ports.map(mapped),
    warnings,
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  };
}

/** Docker's default is every address of the host. */
function published({ hostIP = "0.0.0.0", hostPort, hostPorts, containerPort, protocol }: PortMapping): WantedPort {
  return { address: hostIP, host: hostPort, among: hostPorts, container: containerPort, protocol };
}

function mapped({ address, host, container, protocol }: PublishedPort): PortMapping {
  return { hostIP: address, hostPort: host, containerPort: container, protocol };
}
