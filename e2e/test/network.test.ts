import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { TestNetwork } from "../harness/network.ts";
import { networkedRuntimes, PORT, peerIn, startPeer } from "../harness/networked.ts";

const FEW_MIB = "16";
/** What passes in each direction. `npm run test:soak` asks for a gigabyte. */
const MIB = process.env.KATA_TEST_STREAM_MIB ?? FEW_MIB;
const TIMEOUT = 120_000 + Number(MIB) * 1_000;

const IP_AND_UDP_HEADERS = 28;

const V4 = { pod: "10.211.0.2", world: "10.211.0.1" };
const V6 = { pod: "fd00:211::2", world: "fd00:211::1" };

/** A pod's namespace with one pair to a world of its own, as an engine would leave it. */
async function podAndWorld(network: TestNetwork, mtu?: number): Promise<{ pod: string; world: string }> {
  const [pod, world] = [await network.namespace(), await network.namespace()];
  const size = mtu === undefined ? {} : { mtu };
  await network.veth(
    { namespace: pod, name: "eth0", addresses: [`${V4.pod}/24`, `${V6.pod}/64`], ...size },
    { namespace: world, name: "pod0", addresses: [`${V4.world}/24`, `${V6.world}/64`], ...size },
  );
  await network.ip(pod, `route add default via ${V4.world}`, `route add default via ${V6.world}`);
  return { pod, world };
}

async function bothWays(kata: Kata, id: string, network: TestNetwork, world: string, addresses: typeof V4) {
  const mebibytes = addresses === V4 ? MIB : FEW_MIB;
  for (const direction of ["download", "upload"]) {
    expect(await peerIn(kata, id, direction, addresses.world, PORT, mebibytes)).toMatch(/^[\da-f]{64}$/);
    expect(await network.peer(world, direction, addresses.pod, PORT, mebibytes)).toMatch(/^[\da-f]{64}$/);
  }
}

describe.each(networkedRuntimes(0))("the network under %s", (_name, open) => {
  expectCleanHost();

  it(
    "carries TCP both ways, datagrams and pings over IPv4 and IPv6, and is given back as it was",
    async () => {
      await using network = new TestNetwork();
      const { pod, world } = await podAndWorld(network);
      const before = await network.snapshot(pod);
      await using kata = open();
      await network.serve(world, "serve", PORT);
      const id = await startPeer(kata, pod);

      for (const addresses of [V4, V6]) {
        await bothWays(kata, id, network, world, addresses);
        expect(await peerIn(kata, id, "datagrams", addresses.world, PORT, "1", "1000", "1472", "9000")).toContain(
          "9000",
        );
        expect(await network.peer(world, "datagrams", addresses.pod, PORT, "1", "1000", "1472", "9000")).toContain(
          "9000",
        );
        expect(await kata.ok(["exec", id, "/busybox", "ping", "-c", "2", addresses.world])).toContain(
          " 0% packet loss",
        );
        const pinged = await network.run(world, "/bin/busybox", "ping", "-c", "2", addresses.pod);
        expect(pinged.stdout).toContain(" 0% packet loss");
      }

      await kata.ok(["delete", "--force", id]);
      expect(await network.snapshot(pod)).toBe(before);
    },
    TIMEOUT,
  );

  it("shows the container what the engine set up: names, addresses, MTUs, routes, neighbours", async () => {
    await using network = new TestNetwork();
    const [pod, world] = [await network.namespace(), await network.namespace()];
    await network.veth(
      { namespace: pod, name: "net7", addresses: ["10.212.0.2/24"], mtu: 1400 },
      { namespace: world, name: "pod0", addresses: ["10.212.0.1/24"], mtu: 1400 },
    );
    await network.veth(
      { namespace: pod, name: "eth0", addresses: ["10.213.0.2/16", "10.213.9.9/16", "fd00:213::2/64"], mtu: 9000 },
      { namespace: world, name: "pod1", addresses: ["10.213.0.1/16", "fd00:213::1/64"], mtu: 9000 },
    );
    await network.ip(
      pod,
      "route add default via 10.213.0.1 metric 7",
      "route add default via fd00:213::1",
      "route add 198.51.100.0/24 dev net7 scope link src 10.212.0.2",
      "route add 203.0.113.0/24 via 169.254.1.1 dev eth0 onlink",
      "neigh add 10.212.0.9 lladdr 02:00:00:00:00:09 dev net7 nud permanent",
      "neigh add fd00:213::9 lladdr 02:00:00:00:00:0a dev eth0 nud permanent router",
    );
    await using kata = open();
    const id = await startPeer(kata, pod);
    const questions = ["addr", "route", "-6 route", "neigh"];
    const shown = await Promise.all(
      questions.map((question) => kata.ok(["exec", id, "/busybox", "ip", ...question.split(" ")])),
    );
    const [addresses = "", routes = "", sixths = "", neighbours = ""] = shown;
    expect(addresses).toMatch(/ net7[:@].* mtu 1400 /);
    expect(addresses).toMatch(/ eth0[:@].* mtu 9000 /);
    for (const address of ["10.212.0.2/24", "10.213.0.2/16", "10.213.9.9/16", "fd00:213::2/64"]) {
      expect(addresses).toContain(` ${address} `);
    }
    expect(routes).toMatch(/default via 10\.213\.0\.1 dev eth0 .*metric 7/);
    expect(routes).toMatch(/198\.51\.100\.0\/24 dev net7 scope link .*src 10\.212\.0\.2/);
    expect(routes).toMatch(/203\.0\.113\.0\/24 via 169\.254\.1\.1 dev eth0/);
    expect(sixths).toMatch(/default via fd00:213::1 dev eth0/);
    expect(neighbours).toMatch(/10\.212\.0\.9 dev net7 lladdr 02:00:00:00:00:09 .*PERMANENT/);
    expect(neighbours).toMatch(/fd00:213::9 dev eth0 lladdr 02:00:00:00:00:0a .*router .*PERMANENT/);
    // The largest frames of each pass, and none that is larger.
    await network.serve(world, "serve", PORT);
    for (const [address, mtu] of [
      ["10.212.0.1", 1400],
      ["10.213.0.1", 9000],
    ] as const) {
      const largest = mtu - IP_AND_UDP_HEADERS;
      expect(await peerIn(kata, id, "whole", address, PORT, String(largest))).toBe(String(largest));
      const larger = await kata.run(["exec", id, "python3", "/peer.py", "whole", address, PORT, String(largest + 1)]);
      expect(larger.stderr).toContain("Message too long");
    }
  });

  it("reaches beyond its gateway, and asks the resolver that the engine names", async () => {
    await using network = new TestNetwork();
    const { pod, world } = await podAndWorld(network);
    const beyond = await network.namespace();
    await network.veth(
      { namespace: world, name: "up0", addresses: ["192.0.2.1/24"] },
      { namespace: beyond, name: "eth0", addresses: ["192.0.2.53/24"] },
    );
    await network.run(world, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    await network.ip(beyond, "route add default via 192.0.2.1");
    await network.serve(beyond, "serve", PORT);
    await network.serve(world, "resolver", V4.world);
    await using kata = open();
    const resolvConf = kata.file("resolv.conf", `nameserver ${V4.world}\noptions timeout:10\n`);
    const hosts = kata.file("hosts", "127.0.0.1 localhost\n203.0.113.7 named.test\n");
    const id = await startPeer(kata, pod, (spec) => {
      spec.hostname = "networked";
      spec.mounts.push(
        { destination: "/etc/resolv.conf", type: "bind", source: resolvConf, options: ["rbind", "rprivate"] },
        { destination: "/etc/hosts", type: "bind", source: hosts, options: ["rbind", "rprivate"] },
      );
    });
    expect(await peerIn(kata, id, "lookup", "service.test")).toBe("192.0.2.53");
    expect(await peerIn(kata, id, "lookup", "named.test")).toBe("203.0.113.7");
    expect((await kata.run(["exec", id, "python3", "/peer.py", "lookup", "unknown.test"])).exitCode).toBe(1);
    expect(await peerIn(kata, id, "download", "service.test", PORT, "1")).toMatch(/^[\da-f]{64}$/);
    expect(await kata.ok(["exec", id, "/busybox", "hostname"])).toBe("networked");
  });

  it("is nothing but a loopback where the namespace has nothing else", async () => {
    await using kata = open();
    const id = await kata.start({ args: ["sleep", "1000"] });
    expect(await kata.ok(["exec", id, "ip", "-o", "link"])).toMatch(/^1: lo:.*$/);
    expect(await kata.ok(["exec", id, "ip", "route"])).toBe("");
  });
});

describe("the routes of a guest", () => {
  expectCleanHost();

  it("have their MTU and other numbers, and a warning names what else is lost", async () => {
    await using network = new TestNetwork();
    const [pod, world] = [await network.namespace(), await network.namespace()];
    await network.veth(
      { namespace: pod, name: "eth0", addresses: ["10.213.0.2/16", "fd00:213::2/64"] },
      { namespace: world, name: "pod0", addresses: ["10.213.0.1/16", "fd00:213::1/64"] },
    );
    await network.ip(
      pod,
      "route add 192.0.2.0/24 via 10.213.0.1 mtu 1300 advmss 1200 initcwnd 20 rto_min 50ms quickack 1 congctl reno",
      "route add fd00:99::/64 via fd00:213::1 mtu 1290",
    );
    await using kata = new Kata();
    const id = await startPeer(kata, pod);
    const told = JSON.parse(await kata.ok(["kata-network", "list-routes", id])) as { Dest: string }[];
    const attributes = ["mtu 1300", "advmss 1200", "initcwnd 20", "rto_min 50ms", "quickack 1"];
    expect(told.find(({ Dest }) => Dest === "192.0.2.0/24")).toMatchObject({
      Attributes: expect.arrayContaining(attributes) as string[],
    });
    expect(told.find(({ Dest }) => Dest === "fd00:99::/64")).toMatchObject({ Attributes: ["mtu 1290"] });
    expect(kata.read(`${id}.log`)).toContain("192.0.2.0/24 dev eth0 is given to the guest without its congestion");
  });
});
