import { deepEqual, rejects } from "node:assert/strict";
import type { NetworkNamespace } from "@kata-ts/netns";
import type { Agent } from "../ports/agent.ts";
import type { PluggedNic, Vm } from "../ports/hypervisor.ts";
import type { Network } from "../ports/network.ts";
import type { ComplianceCase } from "./compliance.ts";
import { FakeAgent } from "./fake-agent.ts";

/** A network, a VM whose processes live in `namespace`, and the namespace's interfaces. */
export interface NetworkUnderTest {
  readonly network: Network;
  readonly vm: Vm;
  readonly namespace: NetworkNamespace;
  readonly links: {
    /** @param address an IPv4 address with its prefix; undefined: the interface is down */
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

/** What a guest has by what was plugged into its VM, and what its agent was asked for. */
class Guest {
  readonly vm: Vm;
  readonly agent: Agent;
  readonly #plugged: Map<string, PluggedNic> = new Map();
  readonly #fake = new FakeAgent();

  constructor(vm: Vm) {
    this.vm = this.#watched(vm);
    this.agent = this.#fake.connect();
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
    const unplugNic: Vm["unplugNic"] = async (nic) => {
      await vm.unplugNic(nic);
      this.#plugged.delete(nic.where);
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
