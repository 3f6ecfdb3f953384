import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { TestNetwork } from "../harness/network.ts";
import { inNamespace, PORT, peerIn, startPeer } from "../harness/networked.ts";
import { ROOT } from "../harness/paths.ts";

const ANNOTATION = "io.katacontainers.config.runtime.egress";
const ALLOWING = '[hypervisor.qemu]\nenable_annotations = ["^egress$"]\n';
const V4 = { pod: "10.211.0.2", allowed: "10.211.0.1", other: "10.211.0.9" };
const V6 = { pod: "fd00:211::2", allowed: "fd00:211::1", other: "fd00:211::9" };
const LIST = `${V4.allowed}:${PORT};[${V6.allowed}]:${PORT}`;
const SCRIPT = join(ROOT, "e2e/harness/beyond-egress.py");

/** Everything that comes from the pod, but questions for neighbours and what the list allows, is counted. */
const COUNTED = `table inet counted {
  chain arrived {
    type filter hook prerouting priority -300
    iifname "pod0" icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    iifname "pod0" ip daddr ${V4.allowed} meta l4proto { tcp, udp } th dport ${PORT} ip saddr ${V4.pod} accept
    iifname "pod0" ip6 daddr ${V6.allowed} tcp dport ${PORT} accept
    iifname "pod0" counter
  }
}`;

async function podAndWorld(network: TestNetwork): Promise<{ pod: string; world: string }> {
  const [pod, world] = [await network.namespace(), await network.namespace()];
  await connectTo(network, pod, world);
  return { pod, world };
}

async function connectTo(network: TestNetwork, pod: string, world: string): Promise<void> {
  await network.veth(
    { namespace: pod, name: "eth0", addresses: [`${V4.pod}/24`, `${V6.pod}/64`] },
    { namespace: world, name: "pod0", addresses: [`${V4.allowed}/24`, `${V6.allowed}/64`] },
  );
  await network.ip(world, `addr add ${V4.other}/24 dev pod0`, `addr add ${V6.other}/64 dev pod0 nodad`);
  await network.ip(pod, `route add default via ${V4.allowed}`, `route add default via ${V6.allowed}`);
}

const tables = async (network: TestNetwork, namespace: string): Promise<string> =>
  (await network.run(namespace, "nft", "list", "tables")).stdout;

describe.each([
  ["tcfilter", ALLOWING],
  ["macvtap", `${ALLOWING}[runtime]\ninternetworking_model = "macvtap"\n`],
])("what a container may call by its annotation, with %s", (_model, configuration) => {
  expectCleanHost();

  it("is the list's, whatever its root tries; it may answer those who call it, and its namespace is given back", async () => {
    await using network = new TestNetwork();
    const { pod, world } = await podAndWorld(network);
    const before = await network.snapshot(pod);
    await network.serve(world, "serve", PORT);
    await network.serve(world, "resolver", V4.allowed);
    await using kata = Kata.configured(configuration);
    const id = await startPeer(kata, pod, (spec) => {
      Object.assign(spec, { annotations: { [ANNOTATION]: LIST } });
      spec.mounts.push({ destination: "/beyond.py", type: "bind", source: SCRIPT, options: ["bind", "ro"] });
    });
    // The namespace's own kernel has said what it had to say.
    await network.run(world, "nft", COUNTED);
    const places = [V4.allowed, V4.other, V6.allowed, V6.other, PORT];
    const tried = await kata.ok(["exec", id, "python3", "/beyond.py", ...places]);
    expect(JSON.parse(tried)).toEqual({
      "another address": "Connection refused",
      "another address over IPv6": "Connection refused",
      "another port": "Connection refused",
      "another port over IPv6": "Connection refused",
      "a datagram": "No route to host",
      "a datagram over IPv6": "Permission denied",
      "a name": "No route to host",
      "a name by TCP": "Connection refused",
      raw: "sent",
      "raw, forged": "sent",
      "raw, of another card": "sent",
      "raw, in a virtual network": "sent",
      allowed: "sent",
      "allowed over IPv6": "sent",
      "an allowed datagram": "sent",
    });
    expect((await network.run(world, "nft", "list", "table", "inet", "counted")).stdout).toContain("packets 0 bytes 0");
    for (const { pod: address, allowed } of [V4, V6]) {
      expect(await peerIn(kata, id, "upload", allowed, PORT, "4")).toMatch(/^[\da-f]{64}$/);
      expect(await network.peer(world, "download", address, PORT, "4")).toMatch(/^[\da-f]{64}$/);
      expect(await network.peer(world, "datagrams", address, PORT, "1", "1000")).toContain("1000");
      expect((await network.run(world, "/bin/busybox", "ping", "-c", "1", address)).stdout).toContain(
        " 0% packet loss",
      );
    }
    // Code that has taken QEMU over is in the namespace, without rights.
    const fromHost = await network.run(pod, "/bin/busybox", "nc", "-w", "2", V4.allowed, PORT);
    expect(fromHost.exitCode).not.toBe(0);
    await kata.ok(["delete", "--force", id]);
    expect(await network.snapshot(pod)).toBe(before);
    expect(await tables(network, pod)).toBe("");
  });
});

describe("what a container may call", () => {
  expectCleanHost();

  it("is limited, too, on a network that comes when it runs, and by the configuration's own list", async () => {
    await using network = new TestNetwork();
    const [pod, world] = [await network.namespace(), await network.namespace()];
    await network.serve(world, "serve", PORT);
    await using kata = Kata.configured('[runtime]\negress = ["none"]\n');
    const id = await startPeer(kata, pod);
    await connectTo(network, pod, world);
    const shown = ["exec", id, "/busybox", "ip", "addr"];
    while (!(await kata.ok(shown)).includes(V4.pod));
    const refused = await kata.run(["exec", id, "python3", "/peer.py", "download", V4.allowed, PORT, "1"]);
    expect(refused.stderr).toContain("Connection refused");
    while ((await network.run(world, "/bin/busybox", "ping", "-c", "1", V4.pod)).exitCode !== 0);
    expect(await network.peer(world, "download", V4.pod, PORT, "1")).toMatch(/^[\da-f]{64}$/);
    // From an address that is new it may answer, and from the old one no more.
    await network.ip(pod, `addr del ${V4.pod}/24 dev eth0`, "addr add 10.211.0.4/24 dev eth0");
    while (!(await kata.ok(shown)).includes("10.211.0.4"));
    expect(await network.peer(world, "download", "10.211.0.4", PORT, "1")).toMatch(/^[\da-f]{64}$/);
    await kata.ok(["delete", "--force", id]);
    expect(await tables(network, pod)).toBe("");
  });

  it.each([
    ["none", "", "is not enabled"],
    ["example.org:443", ALLOWING, 'egress cannot allow the name "example.org:443" here'],
    ["10.0.0.1/8", ALLOWING, 'egress cannot allow "10.0.0.1/8"'],
  ])("is refused by its text, before anything is made: %s", async (list, configuration, reason) => {
    await using network = new TestNetwork();
    const pod = await network.namespace();
    await using kata = Kata.configured(configuration);
    const { path } = await kata.bundle({
      args: ["true"],
      edit: (spec) => {
        inNamespace(spec, pod);
        Object.assign(spec, { annotations: { [ANNOTATION]: list } });
      },
    });
    const { exitCode, stderr } = await kata.run(["run", "--bundle", path, kata.id()]);
    expect(exitCode).not.toBe(0);
    expect(stderr.replaceAll("\\", "")).toContain(reason);
    expect(await tables(network, pod)).toBe("");
    expect(await kata.ok(["list", "-q"])).toBe("");
  });
});
