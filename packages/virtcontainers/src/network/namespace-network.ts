import { join } from "node:path";
import { lockFile } from "@kata-ts/linux";
import {
  ConnectionJournal,
  type Endpoint,
  type InterworkingModel,
  type NamespaceScan,
  NetworkNamespace,
  parseFilter,
  planConnections,
  type RateLimits,
  requireSupported,
  scanNamespace,
} from "@kata-ts/netns";
import { VmFile } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import type { Agent } from "../ports/agent.ts";
import type { UnplugOptions, Vm } from "../ports/hypervisor.ts";
import { LateCard } from "../ports/late-card.ts";
import type { Network, NetworkAttachment, WithdrawnNetwork } from "../ports/network.ts";
import { UndoStack } from "../undo.ts";
import { networkNamespaceOf } from "../vm/network-place.ts";
import { requireCapability } from "../vm/require-capability.ts";
import { Attachment } from "./attachment.ts";
import { type Differences, differences } from "./differences.ts";
import { giveBackEach, lostNetwork } from "./give-back.ts";
import type { GuestInterface } from "./guest-view.ts";
import { type KnownInterface, knownInterfaces } from "./known-interface.ts";
import { openSandboxNamespace } from "./sandbox-namespace.ts";
import { sendDifferences, sendRoutes } from "./send-routes.ts";
import { takeOut, waitUntilOut, withdrawalDeadline } from "./take-out.ts";

export interface NamespaceNetworkOptions {
  readonly model: InterworkingModel;
  /** Queues of each card: as many as the VM has processors. */
  readonly queues: number;
  /** Let the host's kernel move the frames where it can. */
  readonly vhost: boolean;
  readonly limits?: RateLimits;
  /**
   * What guests may call: `all`, the default, or `none`, alone; or addresses and ranges, each with a port if only that is meant. A guest
   * keeps what it was created with.
   */
  readonly egress?: readonly string[];
  /** Called with each thing that the guest does not get. */
  readonly warn: (message: string) => void;
}

/** Two calls at once would plug an interface twice. */
const SYNC_DEADLINE_MS = 60_000;

/** The VM takes over every interface of its namespace. */
export class NamespaceNetwork implements Network {
  readonly isLimited: boolean;
  readonly #options: NamespaceNetworkOptions;

  /** @throws NetnsError KATA_NETWORK, KATA_NETWORK_UNSUPPORTED for an entry of `egress` by its text */
  constructor(options: NamespaceNetworkOptions) {
    this.#options = options;
    this.isLimited = parseFilter(options.egress ?? ["all"]) !== "all";
  }

  open(path: string | undefined): NetworkNamespace {
    return openSandboxNamespace(path);
  }

  async connect(vm: Vm, namespace: NetworkNamespace): Promise<NetworkAttachment> {
    const scan = await scanNamespace(namespace.path);
    requireSupported(scan);
    for (const warning of scan.warnings) this.#options.warn(warning);
    if (this.isLimited) {
      const journal = new ConnectionJournal(journalFile(vm));
      await journal.limit(namespace.path, namespace.identity, this.#options.egress ?? []);
    }
    return this.#connect(vm, namespace, { scan, endpoints: scan.endpoints });
  }

  async withdraw(vm: Vm, agent: Agent): Promise<WithdrawnNetwork> {
    await using undo = new UndoStack();
    const held = await this.#hold(vm);
    undo.push(async () => {
      await held[Symbol.asyncDispose]();
    });
    const { namespace, journal } = held;
    const known = knownInterfaces(journal.entries());
    requireNoHostDevice(known);
    const withdrawn: KnownInterface[] = [];
    const deadline = withdrawalDeadline(known.length);
    const giveBack = async (): Promise<void> => {
      const guest = { vm, agent, namespace, journal };
      await giveBackEach(withdrawn, (item) => this.#giveBack(guest, item, deadline.leftForLate()));
      await held[Symbol.asyncDispose]();
    };
    try {
      for (const item of known) {
        await takeOut(vm, journal, item, deadline.left()).catch((error: unknown) => {
          if (error instanceof LateCard) withdrawn.push(item);
          throw error;
        });
        withdrawn.push(item);
        await journal.disconnect(namespace.path, item.index);
      }
    } catch (error) {
      await giveBack().catch((cause: unknown) => {
        throw lostNetwork(error, cause);
      });
      throw error;
    }
    undo.keep();
    return { giveBack, [Symbol.asyncDispose]: held[Symbol.asyncDispose] };
  }

  /** As it is in the namespace by now, where it is there still. */
  async #giveBack(guest: GuestNetwork, item: KnownInterface, patience: UnplugOptions = {}): Promise<void> {
    const { vm, namespace, journal } = guest;
    const { index, emptied, note } = item;
    if (journal.entries().some(({ connection }) => connection.index === index)) {
      // It was not cut off in order: it is now.
      await waitUntilOut(vm, item, patience);
      await journal.disconnect(namespace.path, index);
    }
    const scan = await scanNamespace(namespace.path);
    const endpoint = [...scan.endpoints, ...(note.manual ? scan.idle : [])].find((found) => found.index === index);
    if (endpoint === undefined) return;
    const model = emptied ? "macvtap" : "tcfilter";
    await this.#attach(guest, { scan, endpoints: [endpoint], model, ...(note.manual ? { wanted: note.told } : {}) });
  }

  async sync(vm: Vm, agent: Agent): Promise<void> {
    await using held = await this.#hold(vm);
    const { namespace, scan, journal } = held;
    const found = differences(scan, journal.entries());
    this.#warnOf(scan, found);
    for (const { index, note } of found.gone) {
      await vm.unplugNic(note.nic);
      await journal.disconnect(namespace.path, index);
    }
    // Their engine is not done with them: they have to keep their addresses while routes are added.
    await this.#attach({ vm, agent, ...held }, { scan, endpoints: found.added, model: "tcfilter" });
    // From addresses that the guest is not to have it may send nothing, where what it may call is limited.
    for (const { index, note } of found.changed) {
      const addresses = addressesOf(note.told);
      if (addresses !== undefined) await journal.readdress(namespace.path, index, addresses);
    }
    await sendDifferences(agent, journal, found);
    const leaving = knownInterfaces(journal.entries()).filter(({ note }) => note.leaving === true);
    await giveBackEach(leaving, (item) => this.#giveBack({ vm, agent, ...held }, item));
  }

  async add(vm: Vm, agent: Agent, wanted: GuestInterface): Promise<void> {
    await using held = await this.#hold(vm);
    const { scan, journal } = held;
    const name = (wanted.device ?? "") === "" ? (wanted.name ?? "") : (wanted.device ?? "");
    const endpoint = [...scan.endpoints, ...scan.idle].find((candidate) => candidate.name === name);
    if (endpoint === undefined) throw noInterface(`"${name}" is not in the container's network namespace`);
    if (journal.entries().some(({ connection }) => connection.index === endpoint.index)) {
      throw noInterface(`"${name}" is in the guest already`);
    }
    await this.#attach({ vm, agent, ...held }, { scan, endpoints: [endpoint], wanted });
  }

  async remove(vm: Vm, agent: Agent, unwanted: GuestInterface): Promise<void> {
    await using held = await this.#hold(vm);
    const { namespace, journal } = held;
    const known = knownInterfaces(journal.entries()).find(({ note: { told }, name }) =>
      (unwanted.hwAddr ?? "") === "" ? name === unwanted.name : told.hwAddr === unwanted.hwAddr,
    );
    if (known === undefined) throw noInterface(`"${unwanted.name ?? ""}" ${unwanted.hwAddr ?? ""} is not in the guest`);
    await vm.unplugNic(known.note.nic);
    await journal.disconnect(namespace.path, known.index);
    await sendRoutes(agent, knownInterfaces(journal.entries()));
  }

  /** Into a guest that runs. Those whose card could not be plugged in are as they were, for another try. */
  async #attach({ vm, agent, namespace, journal }: GuestNetwork, connections: NewConnections): Promise<void> {
    using attachment = await this.#connect(vm, namespace, connections);
    try {
      await attachment.attach(vm, agent);
    } catch (error) {
      const unplugged = journal.entries().filter(({ note }) => note === undefined);
      for (const { connection } of unplugged) await journal.disconnect(namespace.path, connection.index);
      throw error;
    }
  }

  /** Opens the namespace, scans it, and keeps other calls from changing the VM's network. */
  async #hold(vm: Vm): Promise<HeldNamespace> {
    await using undo = new UndoStack();
    const namespace = NetworkNamespace.open(networkNamespaceOf(vm.state));
    undo.push(() => {
      namespace[Symbol.dispose]();
    });
    const lock = await lockFile(`${journalFile(vm)}.sync`, { deadlineMs: SYNC_DEADLINE_MS });
    undo.push(() => {
      lock[Symbol.dispose]();
    });
    const scan = await scanNamespace(namespace.path);
    undo.keep();
    const journal = new ConnectionJournal(journalFile(vm));
    let isHeld = true;
    return {
      namespace,
      scan,
      journal,
      [Symbol.asyncDispose]: async () => {
        if (!isHeld) return;
        isHeld = false;
        lock[Symbol.dispose]();
        namespace[Symbol.dispose]();
      },
    };
  }

  async #connect(
    vm: Vm,
    namespace: NetworkNamespace,
    { scan, endpoints, wanted, model = this.#options.model }: NewConnections,
  ): Promise<Attachment> {
    const { queues, limits, vhost } = this.#options;
    const taken = scan.links.map(({ name }) => name);
    const journal = new ConnectionJournal(journalFile(vm));
    const addresses = wanted === undefined ? undefined : addressesOf(wanted);
    const plan = { model, queues, taken, egress: journal.egress(), addresses, ...(limits && { limits }) };
    const connections = await planConnections(namespace.path, endpoints, plan);
    for (const { model: kind, link } of connections) {
      const needed = kind === "vfio" ? "deviceAssignment" : "nicHotplug";
      requireCapability(vm, needed, `interface ${link} cannot be given to the guest`);
    }
    const open = await journal.connect(namespace.path, namespace.identity, connections);
    const interfaces = endpoints.flatMap((endpoint, position) => {
      const connection = connections[position];
      return connection === undefined ? [] : [{ endpoint, connection }];
    });
    return new Attachment({ journal, scan, interfaces, open, vhost, wanted });
  }

  #warnOf(scan: NamespaceScan, { added }: Differences): void {
    const names = added.map(({ name }) => name);
    for (const { name, kind } of scan.unsupported) {
      this.#options.warn(`interface ${name} is not given to the guest: ${kind} is not supported`);
    }
    if (names.length > 0) for (const warning of scan.warnings) this.#options.warn(warning);
  }
}

/** A guest that runs, and what it is connected with. */
interface GuestNetwork {
  readonly vm: Vm;
  readonly agent: Agent;
  readonly namespace: NetworkNamespace;
  readonly journal: ConnectionJournal;
}

interface NewConnections {
  readonly scan: NamespaceScan;
  readonly endpoints: readonly Endpoint[];
  /** For an interface that a call asked for: its settings in the guest. */
  readonly wanted?: GuestInterface;
  readonly model?: InterworkingModel;
}

interface HeldNamespace extends AsyncDisposable {
  readonly namespace: NetworkNamespace;
  readonly scan: NamespaceScan;
  readonly journal: ConnectionJournal;
}

function addressesOf({ IPAddresses = [] }: GuestInterface): string[] | undefined {
  const addresses = (IPAddresses ?? []).flatMap(({ address }) => address ?? []);
  return addresses.length === 0 ? undefined : addresses;
}

/** @throws KataError KATA_UNSUPPORTED: the guest would have to give it back, and find it as it was */
function requireNoHostDevice(known: readonly KnownInterface[]): void {
  const device = known.find(({ passed }) => passed);
  if (device === undefined) return;
  throw new KataError("KATA_UNSUPPORTED", `the VM cannot be saved: it has a device of the host's, ${device.name}`, {
    hint: "take it out first: `kata-network del-iface`",
  });
}

function noInterface(what: string): KataError {
  return new KataError("KATA_NETWORK_INTERFACE", `interface ${what}`, {
    hint: "`kata-network list-ifaces` shows them",
  });
}

function journalFile(vm: Vm): string {
  return join(vm.state.dir, VmFile.network);
}
