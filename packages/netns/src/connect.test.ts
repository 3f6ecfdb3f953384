import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ConnectionJournal,
  connect,
  disconnect,
  NamespaceMonitor,
  NetworkNamespace,
  planConnections,
  runBatch,
  scanNamespace,
} from "./index.ts";

let directory = "";
let pod: NetworkNamespace;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "netns-"));
  pod = NetworkNamespace.create();
  await runBatch("ip", pod.path, [
    "link set dev lo up",
    "link add eth0 type veth peer name far0",
    "link set dev far0 addrgenmode none",
    "link set dev far0 up",
    "addr add 10.3.0.2/24 brd + dev eth0",
    "addr add fd00:3::2/64 dev eth0 nodad",
    "link set dev eth0 up",
    "route add default via 10.3.0.1 metric 9",
    "route add 10.77.0.0/16 via 10.3.0.9 table 100 proto static",
    "neigh add 10.3.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent router",
    "neigh add proxy 10.3.0.8 dev eth0",
  ]);
  const tentative = () => runBatch("ip", pod.path, ["addr show tentative"]);
  while ((await tentative()).includes("inet6"));
});

afterEach(() => {
  pod[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

async function snapshot(): Promise<string> {
  const questions = ["link show", "addr show", "route show table all", "neigh show nud permanent", "neigh show proxy"];
  const answers = await runBatch("ip", pod.path, questions);
  const qdiscs = await runBatch("tc", pod.path, ["qdisc show", "filter show dev eth0 ingress"]);
  return answers.replaceAll(/valid_lft \S+ preferred_lft \S+/g, "") + qdiscs;
}

async function planFor(model: "tcfilter" | "macvtap", limits = { receive: 0, transmit: 0 }) {
  const { endpoints, links } = await scanNamespace(pod.path);
  const taken = links.map(({ name }) => name);
  const eth0 = endpoints.filter(({ name }) => name === "eth0");
  return planConnections(pod.path, eth0, { model, queues: 2, taken, limits });
}

describe.each(["tcfilter", "macvtap"] as const)("a connection by %s", (model) => {
  it.each([
    ["unlimited", { receive: 0, transmit: 0 }],
    ["limited", { receive: 1_000_000, transmit: 2_000_000 }],
  ])("is made with a descriptor for each queue, and taken back: %s", async (_what, limits) => {
    const before = await snapshot();
    const plan = await planFor(model, limits);
    using open = await connect(pod.path, plan);
    expect(open.descriptors).toEqual([[expect.any(Number), expect.any(Number)]]);
    const during = await snapshot();
    expect(during).not.toBe(before);
    expect(during.includes("tbf")).toBe(limits.receive > 0);
    await disconnect(pod.path, plan);
    await disconnect(pod.path, plan);
    expect(await snapshot()).toBe(before);
  });

  it("that fails half-way leaves nothing", async () => {
    const before = await snapshot();
    const [good] = await planFor(model);
    if (good === undefined) throw new Error("nothing was planned");
    const journal = new ConnectionJournal(join(directory, "network.json"));
    const bad = { ...good, link: "eth9", index: 99, ...(good.model === "macvtap" ? { tap: "tap99_kata" } : {}) };
    await expect(journal.connect(pod.path, pod.identity, [good, bad as typeof good])).rejects.toMatchObject({
      code: expect.stringMatching(/KATA_(NETWORK|LINUX)/) as string,
    });
    expect(await snapshot()).toBe(before);
    expect(journal.entries()).toEqual([]);
  });
});

describe("the journal of connections", () => {
  it("lets another process take them back, once, and ends all further ones", async () => {
    const file = join(directory, "network.json");
    const before = await snapshot();
    const plan = await planFor("tcfilter");
    (await new ConnectionJournal(file).connect(pod.path, pod.identity, plan))[Symbol.dispose]();
    const journal = new ConnectionJournal(file);
    await journal.note(plan[0]?.index ?? 0, { nic: "nic0" });
    expect(journal.entries()).toEqual([{ connection: plan[0], note: { nic: "nic0" } }]);
    await journal.close(["/nonexistent", "/proc/self/ns/net", pod.path]);
    expect(await snapshot()).toBe(before);
    expect(journal.entries()).toEqual([]);
    await expect(journal.connect(pod.path, pod.identity, plan)).rejects.toThrow("the virtual machine has ended");
    expect(await snapshot()).toBe(before);
  });

  it("forgets one interface, and what was in a namespace that is gone", async () => {
    const journal = new ConnectionJournal(join(directory, "network.json"));
    const plan = await planFor("tcfilter");
    const before = await snapshot();
    (await journal.connect(pod.path, pod.identity, plan))[Symbol.dispose]();
    await journal.disconnect(pod.path, plan[0]?.index ?? 0);
    expect(await snapshot()).toBe(before);
    (await journal.connect(pod.path, pod.identity, plan))[Symbol.dispose]();
    await journal.close(["/nonexistent"]);
    expect(journal.entries()).toEqual([]);
  });
});

describe("the journal of a namespace that has ended", () => {
  it("takes nothing back in a later one with its inode", async () => {
    const file = join(directory, "network.json");
    const plan = await planFor("tcfilter");
    const ended = { ...pod.identity, cookie: "1" };
    (await new ConnectionJournal(file).connect(pod.path, ended, plan))[Symbol.dispose]();
    const during = await snapshot();
    await new ConnectionJournal(file).close([pod.path]);
    expect(await snapshot()).toBe(during);
  });
});

describe("what another program has set up", () => {
  it("is not taken over: an ingress qdisc, and a name like ours", async () => {
    await runBatch("tc", pod.path, ["qdisc add dev eth0 clsact"]);
    await expect(planFor("tcfilter")).rejects.toThrow("interface eth0 has a qdisc clsact of another program");
    await runBatch("tc", pod.path, ["qdisc del dev eth0 clsact"]);
    const index = (await scanNamespace(pod.path)).links.find(({ name }) => name === "eth0")?.index ?? 0;
    await runBatch("ip", pod.path, [`link add tap${String(index)}_kata type bridge`]);
    await expect(planFor("macvtap")).rejects.toThrow(`there is a tap${String(index)}_kata already`);
  });

  it("gives iproute2's reason where that refuses", async () => {
    const failing = runBatch("ip", pod.path, ["link set dev lo up", "link set dev nothing up"]);
    await expect(failing).rejects.toMatchObject({
      code: "KATA_NETWORK",
      message: 'ip link set dev nothing up: Cannot find device "nothing"',
    });
    await runBatch("ip", pod.path, ["link set dev nothing up"], { force: true });
  });
});

describe("the monitor of a namespace", () => {
  it("reports changes that come together once, and those that come during a report", async () => {
    const changes: string[] = [];
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    const monitor = new NamespaceMonitor(pod.path, async () => {
      changes.push("change");
      if (changes.length > 1) {
        second.resolve();
        return;
      }
      first.resolve();
      await runBatch("ip", pod.path, ["link set dev eth0 mtu 1400"]);
    });
    await runBatch("ip", pod.path, ["addr add 10.4.0.2/24 dev eth0", "route add 10.5.0.0/16 via 10.4.0.1"]);
    await first.promise;
    await second.promise;
    expect(changes).toEqual(["change", "change"]);
    monitor[Symbol.dispose]();
  });
});
