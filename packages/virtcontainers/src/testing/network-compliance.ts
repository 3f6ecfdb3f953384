import { deepEqual, ok, rejects } from "node:assert/strict";
import type { NetworkNamespace } from "@kata-ts/netns";
import type { Agent } from "../ports/agent.ts";
import type { PluggedNic, Vm } from "../ports/hypervisor.ts";
import { LateCard } from "../ports/late-card.ts";
import type { Network } from "../ports/network.ts";
import type { ComplianceCase } from "./compliance.ts";
import { FakeAgent } from "./fake-agent.ts";

/** A network, a VM whose processes live in `namespace`, and the namespace's interfaces. */
export interface NetworkUnderTest {
  readonly network: Network;
  readonly vm: Vm;
  readonly namespace: NetworkNamespace;
  readonly links: {
    /** @param address an IPv4 address with its prefix, and a route goes with it; undefined: the interface is down */
    add(name: string, mac: string, address: string | undefined): Promise<void>;
    remove(name: string): Promise<void>;
  };
}

const MAC = ["02:00:00:00:00:01", "02:00:00:00:00:02"] as const;

/** The rules of Network. Each needs a namespace without interfaces. */
export const networkCompliance: readonly ComplianceCase<NetworkUnderTest>[] = [
  {
    rule: "gives a guest the interfaces of its namespace, with their addresses",
    check: async (under) => {
      const guest = new Guest(under.vm);
      await under.links.add("eth0", MAC[0], "10.9.0.2/24");
      await under.links.add("eth1", MAC[1], undefined);
      await attach(under, guest);
      deepEqual(guest.interfaces(), [{ name: "eth0", mac: MAC[0], addresses: ["10.9.0.2/24"] }]);
    },
  },
  {
    rule: "has nothing to give where there is no interface",
    check: async (under) => {
      const guest = new Guest(under.vm);
      await attach(under, guest);
      await under.network.sync(guest.vm, guest.agent);
      deepEqual(guest.interfaces(), []);
    },
  },
  {
    rule: "brings a guest up to date with interfaces that come and go",
    check: async (under) => {
      const { network, links, vm } = under;
      const guest = new Guest(vm);
      await links.add("eth0", MAC[0], "10.9.0.2/24");
      await attach(under, guest);
      await links.add("eth1", MAC[1], "10.9.1.2/24");
      await network.sync(guest.vm, guest.agent);
      await network.sync(guest.vm, guest.agent);
      deepEqual(guest.names(), ["eth0", "eth1"]);
      await links.remove("eth0");
      await network.sync(guest.vm, guest.agent);
      deepEqual(guest.names(), ["eth1"]);
    },
  },
  {
    rule: "adds an interface by name, once, and removes it by its MAC address",
    check: async (under) => {
      const { network, links, vm } = under;
      const guest = new Guest(vm);
      await links.add("eth0", MAC[0], undefined);
      await attach(under, guest);
      await network.add(guest.vm, guest.agent, { device: "eth0", name: "renamed" });
      deepEqual(guest.names(), ["renamed"]);
      await rejects(network.add(guest.vm, guest.agent, { device: "eth0" }), { code: "KATA_NETWORK_INTERFACE" });
      await network.sync(guest.vm, guest.agent);
      deepEqual(guest.names(), ["renamed"]);
      await network.remove(guest.vm, guest.agent, { hwAddr: MAC[0] });
      deepEqual(guest.names(), []);
    },
  },
  {
    rule: "takes all cards out of a VM that is to be saved, and gives back what is in the namespace by then, as it was asked for",
    check: async (under) => {
      const { network, links, vm } = under;
      const guest = new Guest(vm);
      await links.add("eth0", MAC[0], "10.9.0.2/24");
      await attach(under, guest);
      await links.add("eth1", MAC[1], undefined);
      await network.add(guest.vm, guest.agent, { device: "eth1", name: "renamed" });
      for (const expected of [["eth0", "renamed"], ["renamed"]]) {
        await using cards = await network.withdraw(guest.vm, guest.agent);
        deepEqual(guest.names(), []);
        if (expected.length === 1) await links.remove("eth0");
        await cards.giveBack();
        deepEqual(guest.names(), expected);
      }
      await network.sync(guest.vm, guest.agent);
      deepEqual(guest.names(), ["renamed"]);
      await network.remove(guest.vm, guest.agent, { hwAddr: MAC[1] });
      deepEqual(guest.names(), []);
    },
  },
  {
    rule: "gives a card back that the guest lets go of too late for the VM to be saved",
    check: async (under) => {
      const { network, links, vm } = under;
      const guest = new Guest(vm);
      await links.add("eth0", MAC[0], "10.9.0.2/24");
      await links.add("eth1", MAC[1], "10.9.1.2/24");
      await attach(under, guest);
      guest.answers = ["at once", "late"];
      await rejects(network.withdraw(guest.vm, guest.agent), LateCard);
      deepEqual(guest.names(), ["eth0", "eth1"]);
      // All have one deadline: what was waited for is not waited for again, but for a moment more before it is given back.
      const [first = 0, second = 0, more = 0] = guest.patience.slice(0, 3);
      ok(first > 0 && second > 0 && second <= first);
      ok(more > 0 && more < first + second);
    },
  },
  {
    rule: "names a card that the guest may let go of later, and gives it back then",
    check: async (under) => {
      const { network, links, vm } = under;
      const guest = new Guest(vm);
      await links.add("eth0", MAC[0], "10.9.0.2/24");
      await attach(under, guest);
      guest.answers = ["never", "late"];
      await rejects(network.withdraw(guest.vm, guest.agent), /not let go of .*may do so later/);
      deepEqual(guest.names(), []);
      await network.sync(guest.vm, guest.agent);
      deepEqual(guest.names(), ["eth0"]);
      await network.sync(guest.vm, guest.agent);
      deepEqual(guest.names(), ["eth0"]);
    },
  },
  {
    rule: "leaves a card alone that cannot be asked for",
    check: async (under) => {
      const { network, links, vm } = under;
      const guest = new Guest(vm);
      await links.add("eth0", MAC[0], "10.9.0.2/24");
      await attach(under, guest);
      guest.answers = ["refused"];
      await rejects(network.withdraw(guest.vm, guest.agent), REFUSED);
      await network.sync(guest.vm, guest.agent);
      deepEqual(guest.names(), ["eth0"]);
      deepEqual(guest.answers, []);
    },
  },
  {
    rule: "refuses to add what is not there, and to remove what the guest has not",
    check: async (under) => {
      const { network, vm } = under;
      const guest = new Guest(vm);
      await attach(under, guest);
      await rejects(network.add(guest.vm, guest.agent, { device: "eth9" }), { code: "KATA_NETWORK_INTERFACE" });
      await rejects(network.remove(guest.vm, guest.agent, { name: "eth9" }), { code: "KATA_NETWORK_INTERFACE" });
      await rejects(network.remove(guest.vm, guest.agent, { hwAddr: MAC[1] }), { code: "KATA_NETWORK_INTERFACE" });
    },
  },
];

async function attach({ network, namespace }: NetworkUnderTest, { vm, agent }: Guest): Promise<void> {
  using attachment = await network.connect(vm, namespace);
  await attachment.attach(vm, agent);
}

/** What a guest does that is asked for a card: it lets go of it, in time or not, or keeps it; or it is not even asked. */
type Answer = "at once" | "late" | "never" | "refused";

const REFUSED = new Error("no monitor");

/** What a guest has by what was plugged into its VM, and what its agent was asked for. */
class Guest {
  readonly vm: Vm;
  readonly agent: Agent;
  readonly #plugged: Map<string, PluggedNic> = new Map();
  readonly #fake = new FakeAgent();
  /** To the next questions; then it answers at once. */
  answers: Answer[] = [];
  /** How long each question was waited for, where that was said. */
  patience: (number | undefined)[] = [];

  constructor(vm: Vm) {
    this.vm = this.#watched(vm);
    const agent = this.#fake.connect();
    // As a guest's `ip` does: none of the routes is set up then.
    const updateRoutes: Agent["updateRoutes"] = async (request, limits) => {
      const lost = request.routes?.Routes?.find(({ device }) => !this.names().includes(device ?? ""));
      if (lost !== undefined) throw new Error(`Cannot find device "${lost.device ?? ""}"`);
      return agent.updateRoutes(request, limits);
    };
    this.agent = { ...agent, updateRoutes };
  }

  interfaces(): { name: string; mac: string; addresses: string[] }[] {
    return [...this.#plugged.values()].flatMap(({ where }) => {
      const found = this.#fake.interfaces.get(where);
      if (found === undefined) return [];
      const { name, hwAddr, IPAddresses } = found;
      const addresses = (IPAddresses ?? []).map(({ address, mask }) => `${address ?? ""}/${mask ?? ""}`);
      return [{ name: name ?? "", mac: hwAddr ?? "", addresses }];
    });
  }

  names(): string[] {
    return this.interfaces()
      .map(({ name }) => name)
      .sort();
  }

  #watched(vm: Vm): Vm {
    const plugNic: Vm["plugNic"] = async (id, backend) => {
      const nic = await vm.plugNic(id, backend);
      this.#plugged.set(nic.where, nic);
      return nic;
    };
    const unplugNic: Vm["unplugNic"] = async (nic, options) => {
      this.patience.push(options?.deadlineMs);
      const answer = this.answers.shift() ?? "at once";
      if (answer === "refused") throw REFUSED;
      if (answer !== "never") {
        await vm.unplugNic(nic);
        this.#plugged.delete(nic.where);
      }
      if (answer !== "at once") throw new LateCard("a card", undefined);
    };
    const own: Partial<Record<PropertyKey, unknown>> = { plugNic, unplugNic };
    return new Proxy(vm, {
      get: (target, key) => {
        const value: unknown = own[key] ?? Reflect.get(target, key, target);
        return typeof value === "function" && own[key] === undefined ? (value.bind(target) as unknown) : value;
      },
    });
  }
}
