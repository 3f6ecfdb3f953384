import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { TestNetwork } from "../harness/network.ts";
import { inNamespace, networkedRuntimes, PORT, peerIn, startPeer } from "../harness/networked.ts";

const TIMEOUT = 240_000;

/** What a container says of its interfaces, again and again until it is as wanted. The test's time limits it. */
async function until(kata: Kata, id: string, wanted: (shown: string) => boolean): Promise<string> {
  for (;;) {
    const shown = await kata.ok(["exec", id, "/busybox", "ip", "addr"]);
    if (wanted(shown)) return shown;
  }
}

describe.each(networkedRuntimes(1))("interfaces that come late under %s", (name, open) => {
  expectCleanHost();

  it(
    "are in the container soon after an engine has attached them, change with them, and go with them",
    async () => {
      await using network = new TestNetwork();
      const [pod, world] = [await network.namespace(), await network.namespace()];
      await using kata = open();
      await network.serve(world, "serve", PORT);
      const id = await startPeer(kata, pod);
      expect(await kata.ok(["exec", id, "/busybox", "ip", "addr"])).not.toContain("eth0");

      await network.veth(
        { namespace: pod, name: "eth0", addresses: ["10.217.0.2/24"], mtu: 1400 },
        { namespace: world, name: "pod0", addresses: ["10.217.0.1/24"], mtu: 1400 },
      );
      await network.ip(pod, "route add default via 10.217.0.1");
      await until(kata, id, (shown) => / eth0[:@]/.test(shown) && shown.includes("10.217.0.2/24"));
      expect(await peerIn(kata, id, "download", "10.217.0.1", PORT, "2")).toMatch(/^[\da-f]{64}$/);
      expect(await network.peer(world, "upload", "10.217.0.2", PORT, "2")).toMatch(/^[\da-f]{64}$/);
      while (!(await kata.ok(["exec", id, "/busybox", "ip", "route"])).includes("default via 10.217.0.1"));

      // A second one, as a container has that is connected to another network of Docker's.
      await network.veth(
        { namespace: pod, name: "eth1", addresses: ["10.218.0.2/24"] },
        { namespace: world, name: "pod1", addresses: ["10.218.0.1/24"] },
      );
      await until(kata, id, (shown) => / eth1[:@]/.test(shown) && shown.includes("10.218.0.2/24"));
      expect(await peerIn(kata, id, "download", "10.218.0.1", PORT, "2")).toMatch(/^[\da-f]{64}$/);
      expect(await peerIn(kata, id, "download", "10.217.0.1", PORT, "2")).toMatch(/^[\da-f]{64}$/);

      await network.ip(pod, "link del dev eth1");
      await until(kata, id, (shown) => !shown.includes("eth1"));
      expect(await peerIn(kata, id, "download", "10.217.0.1", PORT, "2"), name).toMatch(/^[\da-f]{64}$/);
    },
    TIMEOUT,
  );

  it("are in the container when it starts, if they came after create", async () => {
    await using network = new TestNetwork();
    const [pod, world] = [await network.namespace(), await network.namespace()];
    await using kata = open();
    const output = kata.file("out/shown", "");
    const id = kata.id();
    const bundle = await kata.bundle({
      args: ["sh", "-c", "ip addr > /out/shown; sleep 1000"],
      edit: (spec) => {
        inNamespace(spec, pod);
        const source = output.replace(/\/shown$/, "");
        spec.mounts.push({ destination: "/out", type: "bind", source, options: ["bind"] });
      },
    });
    await kata.create(id, bundle.path);
    await network.veth(
      { namespace: pod, name: "eth0", addresses: ["10.217.0.2/24"] },
      { namespace: world, name: "pod0", addresses: ["10.217.0.1/24"] },
    );
    await kata.ok(["start", id]);
    while (kata.read("out/shown") === "") await setImmediate();
    expect(kata.read("out/shown")).toContain("10.217.0.2/24");
  });
});

describe("kata-network", () => {
  expectCleanHost();

  const parsed = async <T>(output: Promise<string>): Promise<T> => JSON.parse(await output) as T;

  it(
    "lists, adds and takes out interfaces, and changes routes, by hand",
    async () => {
      await using network = new TestNetwork();
      const [pod, world] = [await network.namespace(), await network.namespace()];
      await network.veth(
        { namespace: pod, name: "spare0", addresses: [] },
        { namespace: world, name: "pod0", addresses: ["10.219.0.1/24"] },
      );
      await using kata = Kata.configured("[netmon]\nenable_netmon = false\n");
      await network.serve(world, "serve", PORT);
      const id = await startPeer(kata, pod);
      const before = await network.snapshot(pod);
      const list = () => parsed<{ Name: string; HwAddr: string }[]>(kata.ok(["kata-network", "list-ifaces", id]));
      expect((await list()).map(({ Name }) => Name)).toEqual(["lo"]);

      const wanted = {
        Device: "spare0",
        Name: "data0",
        Mtu: 1300,
        IPAddresses: [{ Family: 0, Address: "10.219.0.2", Mask: "24" }],
      };
      await kata.ok(["kata-network", "add-iface", id], { input: JSON.stringify(wanted) });
      const added = (await list()).find(({ Name }) => Name === "data0");
      expect(added).toMatchObject({ Mtu: 1300, IPAddresses: wanted.IPAddresses });
      expect(await peerIn(kata, id, "download", "10.219.0.1", PORT, "2")).toMatch(/^[\da-f]{64}$/);
      const again = await kata.run(["kata-network", "add-iface", id], { input: JSON.stringify(wanted) });
      expect(again.stderr).toMatch(/interface .*spare0.* is in the guest already/);

      const routes = [{ Dest: "198.51.100.0/24", Gateway: "10.219.0.1", Device: "data0" }];
      const file = kata.file("routes.json", JSON.stringify(routes));
      expect(await parsed(kata.ok(["kata-network", "update-routes", id, file]))).toContainEqual({
        ...routes[0],
        Source: "",
        Scope: 0,
      });
      expect(await parsed(kata.ok(["kata-network", "list-routes", id]))).toContainEqual(
        expect.objectContaining({ Dest: "198.51.100.0/24" }),
      );
      expect(await kata.ok(["exec", id, "/busybox", "ip", "route"])).toContain("198.51.100.0/24 via 10.219.0.1");

      await kata.ok(["kata-network", "del-iface", id], { input: JSON.stringify({ HwAddr: added?.HwAddr }) });
      expect((await list()).map(({ Name }) => Name)).toEqual(["lo"]);
      expect(await network.snapshot(pod)).toBe(before);
    },
    TIMEOUT,
  );

  it("says what is wrong with what it is given", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"] });
    const failing = async (args: readonly string[], input = "{}") => {
      const result = await kata.run(["kata-network", ...args], { input });
      expect(result.exitCode).toBe(1);
      return result.stderr;
    };
    expect(await failing(["list-everything", id])).toContain("requires one of add-iface, del-iface");
    expect(await failing(["add-iface", id], "not JSON")).toContain("standard input is not JSON");
    expect(await failing(["add-iface", id], '{"Mtu":"large"}')).toContain("Mtu: ");
    expect(await failing(["add-iface", id], '{"Device":"eth9"}')).toMatch(
      /eth9.* is not in the container's network namespace/,
    );
    expect(await failing(["del-iface", id], '{"Name":"eth9"}')).toMatch(/eth9.* is not in the guest/);
    expect(await failing(["update-routes", id], '[{"Dest":"x y","Device":"lo"}]')).toContain("x y/32");
    expect(await failing(["list-ifaces", "unknown"])).toContain("does not exist");
  });
});
