import { closeSync } from "node:fs";
import {
  type Connection,
  type ConnectionJournal,
  type Endpoint,
  type NamespaceScan,
  type OpenConnections,
  openVhostNet,
} from "@kata-ts/netns";
import type { Agent } from "../ports/agent.ts";
import type { NicBackend, Vm } from "../ports/hypervisor.ts";
import type { NetworkAttachment } from "../ports/network.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { type GuestInterface, guestInterface, guestNeighbours, guestRoute } from "./guest-view.ts";
import { type InterfaceNote, knownInterfaces } from "./known-interface.ts";
import { sendRoutes } from "./send-routes.ts";

export interface ConnectedInterface {
  readonly endpoint: Endpoint;
  readonly connection: Connection;
}

export interface AttachmentOptions {
  readonly journal: ConnectionJournal;
  readonly scan: NamespaceScan;
  readonly interfaces: readonly ConnectedInterface[];
  readonly open: OpenConnections;
  readonly vhost: boolean;
  /** For an interface that a call asked for: its settings in the guest. */
  readonly wanted: GuestInterface | undefined;
}

/** Connected interfaces on their way into a guest. */
export class Attachment implements NetworkAttachment {
  readonly #options: AttachmentOptions;

  constructor(options: AttachmentOptions) {
    this.#options = options;
  }

  async attach(vm: Vm, agent: Agent): Promise<void> {
    const { scan, interfaces, journal } = this.#options;
    if (interfaces.length === 0) return;
    for (const [position, item] of interfaces.entries()) await this.#plug(vm, agent, item, position);
    await sendRoutes(agent, knownInterfaces(journal.entries()));
    const names = new Set(interfaces.map(({ endpoint }) => endpoint.name));
    const neighbours = scan.neighbours.filter(({ device }) => names.has(device));
    if (neighbours.length === 0) return;
    await wrapAgentError("set up neighbours", agent.addARPNeighbors({ neighbors: guestNeighbours(neighbours) }));
  }

  async #plug(vm: Vm, agent: Agent, { endpoint, connection }: ConnectedInterface, position: number): Promise<void> {
    const { journal, scan, wanted, open, vhost } = this.#options;
    const id = `nic${String(endpoint.index)}`;
    const queues = open.descriptors[position] ?? [];
    const nic = await withBackend(connection, queues, vhost, (backend) => vm.plugNic(id, backend));
    const told = mergeInterface(guestInterface(endpoint, nic.where), wanted);
    const routes = scan.routes.filter(({ device }) => device === endpoint.name).map(guestRoute);
    const note: InterfaceNote = { nic, told, routes, manual: wanted !== undefined };
    // Until the guest has agreed it knows nothing: the next look at the namespace tries again.
    await journal.note(endpoint.index, { ...note, told: {} });
    await wrapAgentError(`set up interface ${endpoint.name}`, agent.updateInterface({ interface: told }));
    await journal.note(endpoint.index, note);
  }

  [Symbol.dispose](): void {
    this.#options.open[Symbol.dispose]();
  }
}

/** What was asked for goes before what is in the namespace. */
function mergeInterface(found: GuestInterface, wanted: GuestInterface | undefined): GuestInterface {
  if (wanted === undefined) return found;
  const { name, IPAddresses, mtu, raw_flags } = wanted;
  return {
    ...found,
    ...((name ?? "") === "" ? {} : { name: name ?? "" }),
    ...((IPAddresses ?? []).length === 0 ? {} : { IPAddresses: IPAddresses ?? [] }),
    ...(Number(mtu ?? 0) === 0 ? {} : { mtu: Number(mtu) }),
    ...(raw_flags === undefined ? {} : { raw_flags }),
  };
}

async function withBackend<T>(
  connection: Connection,
  queues: readonly number[],
  wantsVhost: boolean,
  body: (backend: NicBackend) => Promise<T>,
): Promise<T> {
  if (connection.model === "vfio") return body({ kind: "vfio", pciAddress: connection.pciAddress });
  const vhost = wantsVhost ? openVhostNet(queues.length) : undefined;
  try {
    return await body({ kind: "tap", mac: connection.mac, queues, ...(vhost === undefined ? {} : { vhost }) });
  } finally {
    for (const fd of vhost ?? []) closeSync(fd);
  }
}
