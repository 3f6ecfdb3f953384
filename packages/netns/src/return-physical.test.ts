import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PhysicalConnection } from "./connection.ts";
import { runBatch } from "./iproute.ts";
import { NetworkNamespace } from "./namespace.ts";
import { returnPhysical } from "./return-physical.ts";
import { saveLink } from "./saved-link.ts";

const ADDRESS = "0000:01:00.0";
const MAC = "02:00:00:00:00:07";
let sysfs = "";

beforeEach(() => {
  sysfs = mkdtempSync(join(tmpdir(), "sysfs-"));
  for (const driver of ["ixgbe", "vfio-pci"]) mkdirSync(join(sysfs, "bus/pci/drivers", driver), { recursive: true });
  mkdirSync(join(sysfs, "bus/pci/devices", ADDRESS, "net/enp1s0"), { recursive: true });
  symlinkSync(join(sysfs, "bus/pci/drivers/vfio-pci"), join(sysfs, "bus/pci/devices", ADDRESS, "driver"));
});

afterEach(() => {
  rmSync(sysfs, { recursive: true });
});

/** All that `ip` says of an interface's addresses and routes, but for its number. */
async function view(namespace: string, link: string): Promise<string> {
  const questions = [
    `-o addr show dev ${link}`,
    `-o link show dev ${link}`,
    "route show dev eth0",
    "-6 route show dev eth0",
    "neigh show nud permanent",
  ];
  const answers = await Promise.all(
    questions.map((question) => {
      const words = question.split(" ").filter((word) => !word.startsWith("-"));
      return runBatch("ip", namespace, [words.join(" ")], {
        flags: question.split(" ").filter((word) => word.startsWith("-")),
      });
    }),
  );
  return answers
    .join("\n")
    .replaceAll(/^\d+: |@[^:\s]+| link-netnsid \d+/gm, "")
    .replaceAll(/ tentative| nodad/g, "");
}

describe("a physical interface that comes back", () => {
  it.each([
    ["a path that is good for all processes", (path: string): string => path],
    ["a path that leads another process elsewhere", (path: string): string => path.replace(/\d+/, "self")],
  ])("goes to the namespace that it was taken from, as it was there: %s", async (_, named) => {
    using pod = NetworkNamespace.create();
    using host = NetworkNamespace.create();
    const setUp = [
      `link add eth0 address ${MAC} mtu 1400 txqueuelen 77 type veth peer name wire`,
      "link set dev wire up",
      "addr add 10.1.2.3/24 brd 10.1.2.255 dev eth0",
      "addr add 10.9.9.9 peer 10.9.9.1/32 dev eth0",
      "addr add fd00::7/64 dev eth0 nodad",
      "link set dev eth0 up",
      "route add default via 10.1.2.1",
      "route add fd00:1::/64 via fd00::1",
      "neigh add 10.1.2.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent",
    ];
    await runBatch("ip", pod.path, setUp);
    const connection: PhysicalConnection = {
      endpoint: "physical",
      model: "vfio",
      link: "eth0",
      index: 2,
      mac: MAC,
      mtu: 1400,
      txQueueLength: 77,
      queues: 1,
      pciAddress: ADDRESS,
      driver: "ixgbe",
      saved: await saveLink(pod.path, { name: "eth0" }),
    };
    const before = await view(pod.path, "eth0");
    expect(before).toContain("10.1.2.3/24");
    // Its driver lets go of it; when it has it again, it makes a bare one in the host's namespace.
    await runBatch("ip", pod.path, ["link del dev eth0"]);
    await runBatch("ip", host.path, ["link add enp1s0 type veth peer name wire", "link set dev wire up"]);

    await returnPhysical(named(pod.path), connection, { sysfs, namespace: host.path });
    expect(await view(pod.path, "eth0")).toBe(before);
    expect(await runBatch("ip", host.path, ["link show"])).not.toContain("enp1s0");
    expect(readFileSync(join(sysfs, "bus/pci/drivers_probe"), "utf8")).toBe(ADDRESS);
    // Again, as a process does that finds the journal later: the device is left as it is.
    await returnPhysical(named(pod.path), connection, { sysfs, namespace: host.path });
    expect(await view(pod.path, "eth0")).toBe(before);
  });

  it("stays with the host where the namespace has ended", async () => {
    using host = NetworkNamespace.create();
    await runBatch("ip", host.path, ["link add enp1s0 type veth peer name wire", "link set dev wire up"]);
    const connection = { model: "vfio", pciAddress: ADDRESS, driver: "ixgbe", link: "eth0" } as PhysicalConnection;
    await returnPhysical(undefined, connection, { sysfs, namespace: host.path });
    expect(readFileSync(join(sysfs, "bus/pci/drivers_probe"), "utf8")).toBe(ADDRESS);
    expect(await runBatch("ip", host.path, ["link show"])).toContain("enp1s0");
  });
});
