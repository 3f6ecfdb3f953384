import { RpcStatus } from "@kata-ts/agent-protocol";
import { QmpClient } from "@kata-ts/qemu-driver";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { BareGuest } from "../harness/guest.ts";

const MAC = "02:00:00:00:00:01";

/** Plugs a card that leads nowhere into a port. */
async function plug(guest: BareGuest, port: number, mac: string): Promise<void> {
  await using qmp = await QmpClient.connect(guest.config.qmpSocket);
  const id = `nic${String(port)}`;
  await qmp.execute("netdev_add", { type: "hubport", id: `${id}-net`, hubid: 0 });
  await qmp.execute("device_add", { driver: "virtio-net-pci", id, netdev: `${id}-net`, mac, bus: `rp${String(port)}` });
}

const v4 = (address: string, mask: string) => ({ family: 0, address, mask });

describe("the network RPCs of the agent, over the original's contract", () => {
  expectCleanHost();

  it("set up cards that are only just plugged in, found by address or by place, and say what came of it", async () => {
    await using guest = new BareGuest({ rootPorts: 3 });
    using agent = await guest.connect();
    expect((await agent.listInterfaces({})).Interfaces.map(({ name }) => name)).toEqual(["lo"]);

    // Asked for before it is there.
    const wanted = { name: "eth1", device: "eth1", hwAddr: MAC, mtu: 1400, IPAddresses: [v4("10.1.0.2", "24")] };
    const [first] = await Promise.all([agent.updateInterface({ interface: wanted }), plug(guest, 0, MAC)]);
    expect(first).toMatchObject({ name: "eth1", hwAddr: MAC, IPAddresses: [{ address: "10.1.0.2", mask: "24" }] });
    expect(Number(first.mtu)).toBe(1400);

    // Two of one address, as ipvlans have: told apart by their place. The first makes way for the other's name.
    await plug(guest, 1, MAC);
    await plug(guest, 2, MAC);
    const at = (pciPath: string, name: string) => agent.updateInterface({ interface: { ...wanted, pciPath, name } });
    await at("11/00", "eth5");
    await at("12/00", "eth1");
    await at("11/00", "eth0");
    const names = (await agent.listInterfaces({})).Interfaces.map(({ name }) => name);
    expect(names.sort()).toEqual(["aside0", "eth0", "eth1", "lo"]);

    const sixth = { family: 1, address: "fd00:1::2", mask: "64" };
    const changed = { ...wanted, pciPath: "11/00", name: "eth0", IPAddresses: [v4("10.9.0.2", "16"), sixth] };
    const now = await agent.updateInterface({ interface: { ...changed, raw_flags: 0x80 } });
    expect(now).toMatchObject({ raw_flags: 0x80 });
    expect(now.IPAddresses.map(({ address }) => address)).toEqual(["10.9.0.2", "fd00:1::2"]);

    const routes = [
      // The gateway's own route comes after it: the order is the agent's business.
      { dest: "", gateway: "169.254.1.1", device: "eth0", source: "", scope: 0 },
      { dest: "169.254.1.1/32", gateway: "", device: "eth0", source: "", scope: 253 },
      { dest: "", gateway: "fd00:1::1", device: "eth0" },
    ];
    await agent.updateRoutes({ routes: { Routes: routes } });
    await agent.updateRoutes({ routes: { Routes: routes } });
    const listed = (await agent.listRoutes({})).Routes;
    for (const { dest, gateway } of routes) expect(listed).toContainEqual(expect.objectContaining({ dest, gateway }));
    await agent.updateRoutes({ routes: { Routes: [] } });
    const left = (await agent.listRoutes({})).Routes;
    expect(left.filter(({ gateway }) => gateway !== "")).toEqual([]);
    const neighbour = { toIPAddress: { family: 0, address: "10.9.0.9" }, device: "eth0", lladdr: MAC, state: 0x80 };
    await agent.addARPNeighbors({ neighbors: { ARPNeighbors: [neighbour] } });
  });

  it("refuse what they cannot do, by name", async () => {
    await using guest = new BareGuest();
    using agent = await guest.connect();
    const lo = { name: "lo", hwAddr: "00:00:00:00:00:00" };
    const failing = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);
    const update = (change: object) => failing(agent.updateInterface({ interface: { ...lo, ...change } }));
    expect(await update({ name: "a b" })).toMatchObject({ message: expect.stringContaining('"a b"') as string });
    expect(await update({ hwAddr: "x" })).toMatchObject({ status: RpcStatus.InvalidArgument });
    expect(await update({ pciPath: "../.." })).toMatchObject({ status: RpcStatus.InvalidArgument });
    expect(await update({ IPAddresses: [v4("10.0.0.1; x", "24")] })).toMatchObject({
      status: RpcStatus.InvalidArgument,
    });
    expect(await update({ IPAddresses: [v4("10.0.0.1", "33")] })).toMatchObject({ status: RpcStatus.InvalidArgument });
    expect(await update({ hwAddr: "02:00:00:00:00:77" })).toMatchObject({
      status: RpcStatus.DeadlineExceeded,
      message: expect.stringContaining("no interface with MAC address 02:00:00:00:00:77 has appeared") as string,
    });
    const route = { dest: "10.2.0.0/16", gateway: "10.1.2.3", device: "lo" };
    expect(await failing(agent.updateRoutes({ routes: { Routes: [route] } }))).toMatchObject({
      status: RpcStatus.Internal,
      message: expect.stringContaining("Nexthop has invalid gateway") as string,
    });
  });
});
