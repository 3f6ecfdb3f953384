import { join } from "node:path";
import { Sandbox } from "@kata-ts/virtcontainers";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { busyboxRootfs } from "../harness/images.ts";
import { Kata } from "../harness/kata.ts";
import { TestNetwork } from "../harness/network.ts";
import { inNamespace, NETWORKED_RUNTIMES, PORT, peerIn, startPeer } from "../harness/networked.ts";
import { SHARE } from "../harness/paths.ts";
import { rotated } from "../harness/rotation.ts";

const OURS = NETWORKED_RUNTIMES.filter(([name]) => name !== "runc");

const TIMEOUT = 240_000;

/** The parent of the pod's interface, in a namespace of its own, and a peer at the other end of its cable. */
async function parentAndPeer(network: TestNetwork): Promise<{ parent: string; far: string }> {
  const [parent, far] = [await network.namespace(), await network.namespace()];
  await network.veth(
    { namespace: parent, name: "base0", addresses: [] },
    { namespace: far, name: "far0", addresses: ["10.216.0.1/24", "fd00:216::1/64"] },
  );
  return { parent, far };
}

const ADDRESSES = ["addr add 10.216.0.2/24 brd + dev eth0", "addr add fd00:216::2/64 dev eth0 nodad"];

async function expectTraffic(network: TestNetwork, kata: Kata, { pod, far }: { pod: string; far: string }) {
  await network.serve(far, "serve", PORT);
  const id = await startPeer(kata, pod);
  for (const [inside, outside] of [
    ["10.216.0.2", "10.216.0.1"],
    ["fd00:216::2", "fd00:216::1"],
  ] as const) {
    expect(await peerIn(kata, id, "download", outside, PORT, "8")).toMatch(/^[\da-f]{64}$/);
    expect(await network.peer(far, "download", inside, PORT, "8")).toMatch(/^[\da-f]{64}$/);
    expect(await peerIn(kata, id, "datagrams", outside, PORT, "1472")).toBe("1472");
  }
  return id;
}

/** A pod whose interface shares its parent's cable, with `link` of ip-link(8). */
async function playOnParent(open: () => Kata, link: string): Promise<void> {
  await using network = new TestNetwork();
  const { parent, far } = await parentAndPeer(network);
  const pod = await network.namespace();
  const name = pod.slice(pod.lastIndexOf("/") + 1);
  await network.ip(parent, `link add link base0 name eth0 netns ${name} ${link}`);
  await network.ip(pod, ...ADDRESSES, "link set dev eth0 up");
  await network.settled(pod, "eth0");
  const before = await network.snapshot(pod);
  await using kata = open();
  const id = await expectTraffic(network, kata, { pod, far });
  await kata.ok(["delete", "--force", id]);
  expect(await network.snapshot(pod)).toBe(before);
}

/** What a pod's interface may be, beside the end of a veth pair. */
const KINDS: Readonly<Record<string, (open: () => Kata) => Promise<void>>> = {
  "macvlan: its parent stays where it is": (open) => playOnParent(open, "type macvlan mode bridge"),
  // An index that no other interface of this host has: all nodes of macvtaps lie in one directory.
  "macvtap: the VM has it as it is": (open) =>
    playOnParent(open, `index ${String(200_000 + process.pid)} type macvtap mode bridge`),
  "tap: another program connects it": async (open) => {
    await using network = new TestNetwork();
    const [pod, far] = [await network.namespace(), await network.namespace()];
    await network.veth(
      { namespace: pod, name: "cable0", addresses: [] },
      { namespace: far, name: "far0", addresses: ["10.216.0.1/24", "fd00:216::1/64"] },
    );
    await network.ip(pod, "tuntap add dev eth0 mode tap vnet_hdr", ...ADDRESSES, "link set dev eth0 up");
    const everything = "protocol all u32 match u32 0 0 action mirred egress redirect dev";
    await network.tc(
      pod,
      "qdisc add dev cable0 ingress",
      `filter add dev cable0 parent ffff: ${everything} eth0`,
      "qdisc add dev eth0 ingress",
      `filter add dev eth0 parent ffff: ${everything} cable0`,
    );
    await using kata = open();
    await expectTraffic(network, kata, { pod, far });
  },
};

const CASES = Object.entries(KINDS).flatMap(([kind, play]) =>
  OURS.map(([runtime, open]) => [kind, runtime, () => play(open)] as const),
);

describe("interfaces that are no veth", () => {
  expectCleanHost();

  // In turn, each with either model: that matters only to how the VM is joined to what is the same interface.
  it.each(rotated(CASES, 3))("%s, under %s", (_kind, _runtime, play) => play(), TIMEOUT);
});

describe("how an interface is joined", () => {
  expectCleanHost();

  async function pair(network: TestNetwork): Promise<{ pod: string; far: string }> {
    const [pod, far] = [await network.namespace(), await network.namespace()];
    await network.veth(
      { namespace: pod, name: "eth0", addresses: ["10.216.0.2/24"] },
      { namespace: far, name: "far0", addresses: ["10.216.0.1/24"] },
    );
    return { pod, far };
  }

  it.each(rotated(["macvtap", "tcfilter"], 2))("%s: with a queue for each processor", async (model) => {
    await using network = new TestNetwork();
    const { pod, far } = await pair(network);
    await using kata = Kata.configured(
      `[hypervisor.qemu]\ndefault_vcpus = 2\n[runtime]\ninternetworking_model = "${model}"\n`,
    );
    await network.serve(far, "serve", PORT);
    const id = await startPeer(kata, pod);
    expect(await kata.ok(["exec", id, "ls", "/sys/class/net/eth0/queues"])).toBe("rx-0\nrx-1\ntx-0\ntx-1");
    expect(await peerIn(kata, id, "download", "10.216.0.1", PORT, "8")).toMatch(/^[\da-f]{64}$/);
    expect(await peerIn(kata, id, "upload", "10.216.0.1", PORT, "8")).toMatch(/^[\da-f]{64}$/);
  });

  it.each(rotated(["macvtap", "tcfilter"], 2))("%s: at no more than the configured rates", async (model) => {
    await using network = new TestNetwork();
    const { pod, far } = await pair(network);
    const before = await network.snapshot(pod);
    const limits = "rx_rate_limiter_max_rate = 80000000\ntx_rate_limiter_max_rate = 40000000\n";
    await using kata = Kata.configured(`[hypervisor.qemu]\n${limits}[runtime]\ninternetworking_model = "${model}"\n`);
    await network.serve(far, "serve", PORT);
    const id = await startPeer(kata, pod);
    const megabytes = 8;
    for (const [direction, rate] of [
      ["download", "80Mbit"],
      ["upload", "40Mbit"],
    ] as const) {
      const earlier = await bytesThrough(network, pod, rate);
      expect(await peerIn(kata, id, direction, "10.216.0.1", PORT, String(megabytes))).toMatch(/^[\da-f]{64}$/);
      // What was transferred went through the queue that has this rate, in this direction only.
      expect((await bytesThrough(network, pod, rate)) - earlier).toBeGreaterThan(megabytes * 1024 * 1024);
    }
    await kata.ok(["delete", "--force", id]);
    expect(await network.snapshot(pod)).toBe(before);
  });

  it("none: the guest has its loopback only, and the namespace stays as it is", async () => {
    await using network = new TestNetwork();
    const { pod } = await pair(network);
    const before = await network.snapshot(pod);
    await using kata = Kata.configured('[runtime]\ninternetworking_model = "none"\n');
    const id = await kata.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        inNamespace(spec, pod);
      },
    });
    expect(await kata.ok(["exec", id, "ip", "-o", "link"])).toMatch(/^1: lo:.*$/);
    expect(await network.snapshot(pod)).toBe(before);
    const added = await kata.run(["kata-network", "add-iface", id], { input: '{"Device":"eth0"}' });
    expect(added.stderr).toContain("its interworking model is none");
  });

  it("by a program that embeds the library, which sees to changes itself", async () => {
    await using network = new TestNetwork();
    const { pod, far } = await pair(network);
    const before = await network.snapshot(pod);
    {
      const vm = { kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4") };
      await using sandbox = await Sandbox.create({ vm, network: { namespace: pod } });
      const shown = async (...args: readonly string[]): Promise<string> => {
        return (await sandbox.run({ rootfs: await busyboxRootfs(), args: ["ip", ...args] })).stdout;
      };
      expect(await shown("addr")).toContain("10.216.0.2/24");
      expect((await network.run(far, "/bin/busybox", "ping", "-c", "1", "10.216.0.2")).exitCode).toBe(0);
      await network.ip(pod, "route add 198.51.100.0/24 via 10.216.0.1");
      await sandbox.syncNetwork();
      expect(await shown("route")).toContain("198.51.100.0/24 via 10.216.0.1");
      await network.ip(pod, "route del 198.51.100.0/24");
    }
    expect(await network.snapshot(pod)).toBe(before);
  });

  it("disable_new_netns: everything runs in the caller's namespace, and only with none", async () => {
    await using kata = Kata.configured('[runtime]\ninternetworking_model = "none"\ndisable_new_netns = true\n');
    const id = await kata.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        const linux = spec.linux as { namespaces: { type: string }[] };
        linux.namespaces = linux.namespaces.filter(({ type }) => type !== "network");
      },
    });
    expect(await kata.ok(["exec", id, "ip", "-o", "link"])).toMatch(/^1: lo:.*$/);
    await using other = Kata.configured("[runtime]\ndisable_new_netns = true\n");
    expect((await other.run(["state", "x"])).exitCode).toBe(1);
    const { path } = await other.bundle({ args: ["true"] });
    const refused = await other.run(["create", "--bundle", path, other.id()]);
    expect(refused.stderr).toContain("disable_new_netns works only with internetworking_model none");
  });
});

/** Bytes that the one queue with this rate has let through. */
async function bytesThrough(network: TestNetwork, namespace: string, rate: string): Promise<number> {
  const shown = await network.run(namespace, "tc", "-s", "qdisc", "show");
  const [, , sent] = new RegExp(`tbf .* rate (${rate}) [^\\n]*\\n\\s*Sent (\\d+) bytes`).exec(shown.stdout) ?? [];
  if (sent === undefined) throw new Error(`no queue of ${rate}:\n${shown.stdout}`);
  return Number(sent);
}
