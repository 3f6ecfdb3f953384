import type { Connection, Endpoint, JournalEntry, NamespaceScan, Route } from "@kata-ts/netns";
import { describe, expect, it } from "vitest";
import { differences } from "./differences.ts";
import { guestInterface, guestRoute } from "./guest-view.ts";
import type { InterfaceNote } from "./known-interface.ts";

const PCI_PATH = "11/00";

function endpoint(index: number, address = `10.0.${String(index)}.2`): Endpoint {
  const addresses = [{ family: 4, address, prefixLength: 24 }] as const;
  const link = { kind: "veth", name: `eth${String(index)}`, index, mac: "02:00:00:00:00:01", mtu: 1500 } as const;
  return { ...link, txQueueLength: 0, noArp: false, addresses };
}

function scan(endpoints: readonly Endpoint[], routes: readonly Route[] = []): NamespaceScan {
  const links = endpoints.map(({ name, index }) => ({ name, index }));
  return { endpoints, routes, links, idle: [], neighbours: [], unsupported: [], warnings: [] };
}

function entry(
  of: Endpoint,
  change: Partial<InterfaceNote> = {},
  model: Connection["model"] = "tcfilter",
): JournalEntry {
  const nic = { handle: `nic${String(of.index)}`, where: PCI_PATH };
  const note = { nic, told: guestInterface(of, PCI_PATH), routes: [], manual: false, ...change };
  return { connection: { link: of.name, index: of.index, model } as Connection, note };
}

const route = (device: string): Route => ({
  destination: "",
  family: 4,
  gateway: "10.0.2.1",
  device,
  source: "",
  scope: 0,
  metric: 0,
  attributes: [],
  onLink: false,
});

describe("the differences between a namespace and its guest", () => {
  it("are none where the guest has been told all", () => {
    const found = differences(scan([endpoint(2)]), [entry(endpoint(2))]);
    expect(found).toEqual({ added: [], gone: [], changed: [] });
  });

  it("are none either where an older release has recorded the card in QEMU's words", () => {
    const { connection, note } = entry(endpoint(2));
    const older = { ...(note as InterfaceNote), nic: { id: "nic2", pciPath: PCI_PATH, rootPort: "rp1" } };
    expect(differences(scan([endpoint(2)]), [{ connection, note: older }])).toEqual({
      added: [],
      gone: [],
      changed: [],
    });
    const [gone] = differences(scan([]), [{ connection, note: older }]).gone;
    expect(gone?.note.nic).toEqual({ handle: "nic2", where: PCI_PATH });
  });

  it("are interfaces that came and went, recognised by their index", () => {
    const found = differences(scan([endpoint(3)]), [entry(endpoint(2))]);
    expect(found.added.map(({ index }) => index)).toEqual([3]);
    expect(found.gone.map(({ index }) => index)).toEqual([2]);
  });

  it("are not a card of the host's that was passed to the guest, which is in no namespace", () => {
    const found = differences(scan([]), [entry(endpoint(2), {}, "vfio")]);
    expect(found).toEqual({ added: [], gone: [], changed: [] });
  });

  it("are addresses and routes that changed, each by itself", () => {
    const moved = differences(scan([endpoint(2, "10.9.9.9")]), [entry(endpoint(2))]);
    expect(moved.changed).toMatchObject([{ index: 2, interfaceChanged: true }]);
    const routed = differences(scan([endpoint(2)], [route("eth2"), route("eth3")]), [entry(endpoint(2))]);
    expect(routed.changed).toMatchObject([{ interfaceChanged: false, note: { routes: [guestRoute(route("eth2"))] } }]);
  });

  it("are what a guest did not agree to the last time", () => {
    const found = differences(scan([endpoint(2)]), [entry(endpoint(2), { told: {} })]);
    expect(found.changed).toMatchObject([{ index: 2, interfaceChanged: true }]);
  });

  it("are not looked for where the addresses are in the guest only, or were given by hand", () => {
    const changed = scan([endpoint(2, "10.9.9.9")]);
    expect(differences(changed, [entry(endpoint(2), {}, "macvtap")]).changed).toEqual([]);
    expect(differences(changed, [entry(endpoint(2), { manual: true })]).changed).toEqual([]);
  });
});
