import { describe, expect, it } from "vitest";
import { readScan, requireSupported } from "./scan.ts";

const UP = ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"];

function link(ifindex: number, ifname: string, more: object): object {
  const address = { family: "inet", local: `10.0.${String(ifindex)}.2`, prefixlen: 24, scope: "global" };
  return {
    ifindex,
    ifname,
    flags: UP,
    mtu: 1500,
    txqlen: 1000,
    address: "02:00:00:00:00:01",
    addr_info: [address],
    ...more,
  };
}

const ofKind = (info_kind: string, info_data = {}): object => ({ linkinfo: { info_kind, info_data } });

function scan(links: readonly object[], routes: readonly object[] = [], neighbours: readonly object[] = []) {
  return readScan([links, routes, neighbours].map((item) => JSON.stringify(item)).join("\n"));
}

describe("the scan of a namespace", () => {
  it("knows each kind of interface", () => {
    const { endpoints, unsupported } = scan([
      link(2, "a", ofKind("veth")),
      link(3, "b", ofKind("macvlan")),
      link(4, "c", ofKind("macvtap")),
      link(5, "d", ofKind("ipvlan")),
      link(6, "e", ofKind("tun", { type: "tap", multi_queue: true })),
      link(7, "f", { parentbus: "pci", parentdev: "0000:01:00.0" }),
      link(8, "g", ofKind("tun", { type: "tun" })),
      link(9, "h", ofKind("wireguard")),
      link(10, "i", { parentbus: "usb" }),
    ]);
    expect(endpoints.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      "a veth",
      "b macvlan",
      "c macvtap",
      "d ipvlan",
      "e tap",
      "f physical",
    ]);
    expect(endpoints[4]).toMatchObject({ multiQueue: true });
    expect(endpoints[5]).toMatchObject({ pciAddress: "0000:01:00.0" });
    expect(unsupported).toEqual([
      { name: "g", kind: "tun of type tun" },
      { name: "h", kind: "wireguard" },
      { name: "i", kind: "a device on bus usb" },
    ]);
  });

  it("leaves alone what is down, has no address, or is the loopback; it can still be asked for", () => {
    const { endpoints, idle, links } = scan([
      link(1, "lo", { flags: ["LOOPBACK", "UP"], addr_info: [{ family: "inet", local: "127.0.0.1", prefixlen: 8 }] }),
      link(2, "down", { ...ofKind("veth"), flags: ["BROADCAST"] }),
      link(3, "bare", { ...ofKind("veth"), addr_info: [] }),
      // Made by the kernel of a router's word: the guest's kernel hears it, too.
      link(4, "auto", {
        ...ofKind("veth"),
        addr_info: [{ family: "inet6", local: "fd00::1", prefixlen: 64, mngtmpaddr: true }],
      }),
    ]);
    expect(endpoints).toEqual([]);
    expect(idle.map(({ name }) => name)).toEqual(["down", "bare", "auto"]);
    expect(links).toHaveLength(4);
  });

  it("names the first interface that it cannot give to a machine", () => {
    expect(() => {
      requireSupported(scan([link(2, "br0", ofKind("bridge"))]));
    }).toThrow(
      expect.objectContaining({
        code: "KATA_NETWORK_UNSUPPORTED",
        message: "Unsupported network interface: br0 (bridge)",
      }) as Error,
    );
  });

  it("takes the engine's routes and no others, and says which it cannot pass on", () => {
    const { routes, warnings } = scan(
      [link(2, "eth0", ofKind("veth"))],
      [
        {
          type: "unicast",
          dst: "default",
          gateway: "10.0.2.1",
          dev: "eth0",
          protocol: "boot",
          scope: "global",
          metric: 7,
        },
        { type: "unicast", dst: "10.0.2.0/24", dev: "eth0", protocol: "kernel", scope: "link", prefsrc: "10.0.2.2" },
        { type: "unicast", dst: "192.0.2.9", dev: "eth0", protocol: "static", scope: "link", prefsrc: "10.0.2.2" },
        { type: "unicast", dst: "default", gateway: "fe80::1", dev: "eth0", protocol: "ra", pref: "medium" },
        { type: "unicast", dst: "default", dev: "eth0", protocol: "boot", pref: "medium", metric: 1024 },
        {
          type: "unicast",
          dst: "203.0.113.0/24",
          gateway: "169.254.1.1",
          dev: "eth0",
          protocol: "boot",
          flags: ["onlink"],
        },
        { type: "local", dst: "10.0.2.2", dev: "eth0", table: "local", protocol: "kernel" },
        { type: "unicast", dst: "default", gateway: "10.0.2.1", dev: "eth0", table: "100", protocol: "boot" },
        { type: "blackhole", dst: "10.66.0.0/16", protocol: "boot" },
        { type: "unicast", dst: "10.1.0.0/16", dev: "elsewhere", protocol: "boot" },
      ],
    );
    const common = { device: "eth0", source: "", metric: 0, onLink: false, scope: 0, gateway: "", attributes: [] };
    expect(routes).toEqual([
      { ...common, destination: "", family: 4, gateway: "10.0.2.1", metric: 7 },
      { ...common, destination: "192.0.2.9/32", family: 4, source: "10.0.2.2", scope: 253 },
      { ...common, destination: "", family: 6, metric: 1024 },
      { ...common, destination: "203.0.113.0/24", family: 4, gateway: "169.254.1.1", onLink: true },
    ]);
    expect(warnings).toEqual([
      expect.stringContaining("route unicast default of table 100"),
      expect.stringContaining("route blackhole 10.66.0.0/16"),
    ]);
  });

  it("keeps the numbers that a route has, and says by name what else is lost", () => {
    // As iproute2 6.1 and 6.15 print them.
    const metrics = { mtu: 1400, rtt: 100, initcwnd: 20, quickack: 1, ecn: null, congestion: "reno" };
    const unicast = { type: "unicast", dev: "eth0", protocol: "boot", table: "main" };
    const { routes, warnings } = scan(
      [link(2, "eth0", ofKind("veth"))],
      [
        { ...unicast, dst: "10.1.0.0/16", gateway: "10.0.2.1", metrics: [metrics], flow: { to: "5" } },
        { ...unicast, dst: "fd01::/64", gateway: "fd00::1", metric: 1024, pref: "high", expires: 9 },
        { ...unicast, dst: "10.2.0.0/16", tos: "0x10" },
        { ...unicast, dst: "1.2.3.4", encap: "ip", id: 1 },
      ],
    );
    expect(routes.map(({ attributes }) => attributes)).toEqual([
      ["mtu 1400", "rtt 100ms", "initcwnd 20", "quickack 1", "features ecn"],
      ["pref high"],
      [],
    ]);
    expect(warnings).toEqual([
      "route 10.1.0.0/16 dev eth0 is given to the guest without its flow, congestion",
      "route fd01::/64 dev eth0 is given to the guest without its expires",
      expect.stringContaining("route unicast 10.2.0.0/16 of table main for TOS 0x10 is not given"),
      "route 1.2.3.4 dev eth0 is given to the guest without its encap, id",
    ]);
  });

  it("gives an address its network only where the engine left the route to it", () => {
    const links = [
      link(2, "eth0", { ...ofKind("veth"), addr_info: [{ family: "inet", local: "10.0.2.2", prefixlen: 24 }] }),
    ];
    const kernels = { type: "unicast", dst: "10.0.2.0/24", dev: "eth0", protocol: "kernel", prefsrc: "10.0.2.2" };
    const length = (routes: object[]) => scan(links, routes).endpoints[0]?.addresses[0]?.prefixLength;
    expect(length([kernels])).toBe(24);
    expect(length([])).toBe(32);
  });

  it("passes on permanent neighbours with their flags, and the far ends of point-to-point addresses", () => {
    const peer = { family: "inet", local: "10.0.2.2", address: "10.9.9.9", prefixlen: 32 };
    const { neighbours, routes } = scan(
      [link(2, "eth0", { ...ofKind("veth"), addr_info: [peer] })],
      [],
      [
        { dst: "10.0.2.9", dev: "eth0", lladdr: "02:00:00:00:00:09", state: ["PERMANENT"] },
        { dst: "fd00::9", dev: "eth0", lladdr: "02:00:00:00:00:0a", router: null, state: ["PERMANENT"] },
      ],
    );
    expect(neighbours.map(({ address, flags }) => [address, flags])).toEqual([
      ["10.0.2.9", 0],
      ["fd00::9", 0x80],
    ]);
    expect(routes).toMatchObject([{ destination: "10.9.9.9/32", scope: 253, source: "10.0.2.2" }]);
  });
});
