import type { NetworkNamespace } from "@kata-ts/netns";
import { KataError } from "../errors.ts";
import type { GuestInterface } from "../network/guest-view.ts";
import { openSandboxNamespace } from "../network/sandbox-namespace.ts";
import { withdrawalDeadline } from "../network/take-out.ts";
import type { Agent } from "../ports/agent.ts";
import type { PluggedNic, UnplugOptions, Vm } from "../ports/hypervisor.ts";
import { LateCard } from "../ports/late-card.ts";
import type { Network, NetworkAttachment, WithdrawnNetwork } from "../ports/network.ts";

interface GivenInterface {
  readonly wanted: GuestInterface;
  readonly found: GuestInterface;
  readonly nic: PluggedNic;
  /** Its card was asked for, to be given back. */
  leaving: boolean;
}

/** A network whose namespaces hold what a test puts into `interfaces`, and whose cards lead nowhere. */
export class FakeNetwork implements Network {
  /** The interfaces of the namespace that have an address. */
  readonly interfaces: Map<string, GuestInterface> = new Map();
  /** Interfaces of the namespace that are down: they are added by name alone. */
  readonly idle: Map<string, GuestInterface> = new Map();
  isLimited = false;
  /** What each VM's guest has, by the VM's directory and the interface's name. */
  readonly #given: Map<string, Map<string, GivenInterface>> = new Map();

  open(path: string | undefined): NetworkNamespace {
    return openSandboxNamespace(path);
  }

  async connect(): Promise<NetworkAttachment> {
    const found = [...this.interfaces.values()];
    return {
      attach: async (vm, agent) => {
        for (const each of found) await this.#give(vm, agent, each);
      },
      [Symbol.dispose]: () => undefined,
    };
  }

  async withdraw(vm: Vm, agent: Agent): Promise<WithdrawnNetwork> {
    const taken = [...this.#of(vm)];
    const deadline = withdrawalDeadline(taken.length);
    const giveBack = async (): Promise<void> => {
      for (const [name, { wanted, leaving }] of taken)
        if (leaving) await this.#giveBack(vm, agent, name, wanted, deadline.left());
    };
    try {
      for (const [name, given] of taken) {
        given.leaving = true;
        await this.#take(vm, name, deadline.left()).catch((error: unknown) => {
          given.leaving = error instanceof LateCard;
          throw error;
        });
      }
    } catch (error) {
      await giveBack();
      throw error;
    }
    return { giveBack, [Symbol.asyncDispose]: () => Promise.resolve() };
  }

  async sync(vm: Vm, agent: Agent): Promise<void> {
    const given = this.#of(vm);
    for (const name of given.keys()) {
      if (!this.interfaces.has(name) && !this.idle.has(name)) await this.#take(vm, name);
    }
    for (const [name, found] of this.interfaces) {
      if (!given.has(name)) await this.#give(vm, agent, found);
    }
    for (const [name, { wanted, leaving }] of [...given]) if (leaving) await this.#giveBack(vm, agent, name, wanted);
  }

  async add(vm: Vm, agent: Agent, wanted: GuestInterface): Promise<void> {
    const device = wanted.device ?? "";
    const name = device === "" ? (wanted.name ?? "") : device;
    const found = this.interfaces.get(name) ?? this.idle.get(name);
    if (found === undefined) throw noInterface(`"${name}" is not in the container's network namespace`);
    if (this.#of(vm).has(name)) throw noInterface(`"${name}" is in the guest already`);
    await this.#give(vm, agent, found, wanted);
  }

  async remove(vm: Vm, _agent: Agent, { name, hwAddr }: GuestInterface): Promise<void> {
    const byAddress = (hwAddr ?? "") !== "";
    const entry = [...this.#of(vm)].find(([device, { found }]) =>
      byAddress ? found.hwAddr === hwAddr : device === name,
    );
    if (entry === undefined) throw noInterface(`"${name ?? ""}" ${hwAddr ?? ""} is not in the guest`);
    await this.#take(vm, entry[0]);
  }

  async #give(vm: Vm, agent: Agent, found: GuestInterface, wanted: GuestInterface = {}): Promise<void> {
    const device = found.device ?? "";
    const nic = await vm.plugNic(`nic-${device}`, { kind: "tap", mac: found.hwAddr ?? "", queues: [] });
    const name = (wanted.name ?? "") === "" ? device : (wanted.name ?? device);
    await agent.updateInterface({ interface: { ...found, name, pciPath: nic.where } });
    this.#of(vm).set(device, { found, nic, wanted, leaving: false });
  }

  async #giveBack(
    ...[vm, agent, name, wanted, patience]: [Vm, Agent, string, GuestInterface, UnplugOptions?]
  ): Promise<void> {
    await this.#take(vm, name, patience);
    const found = this.interfaces.get(name) ?? this.idle.get(name);
    if (found !== undefined) await this.#give(vm, agent, found, wanted);
  }

  async #take(vm: Vm, device: string, patience: UnplugOptions = {}): Promise<void> {
    const given = this.#of(vm).get(device);
    if (given === undefined) return;
    await vm.unplugNic(given.nic, patience);
    this.#of(vm).delete(device);
  }

  #of(vm: Vm): Map<string, GivenInterface> {
    const given = this.#given.get(vm.state.dir) ?? new Map<string, GivenInterface>();
    this.#given.set(vm.state.dir, given);
    return given;
  }
}

function noInterface(what: string): KataError {
  return new KataError("KATA_NETWORK_INTERFACE", `interface ${what}`);
}
