import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inNetworkNamespace, NetworkNamespace, runBatch } from "@kata-ts/netns";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type ContainerConfig,
  createContainer,
  type Hypervisor,
  joinSandbox,
  MemoryStore,
  NamespaceNetwork,
  noCgroups,
  noNetwork,
  updateContainer,
  VmmHypervisor,
} from "../src/index.ts";
import { ALL_CAPABILITIES, FakeAgent, FakeHypervisor, FakeShims, FakeVmm } from "../src/testing/index.ts";
import { CONFIG, ID, SANDBOX } from "./web-container.ts";

const MIB = 1024 ** 2;

function withMemory(mebibytes: number): ContainerConfig {
  return { ...CONFIG, spec: { ...CONFIG.spec, linux: { resources: { memory: { limit: mebibytes * MIB } } } } };
}

function portsOver<H extends Hypervisor>(hypervisor: H) {
  const agent = new FakeAgent();
  const connectAgent = () => agent.connect();
  const warn = (): void => undefined;
  const shims = new FakeShims(connectAgent);
  return { store: new MemoryStore(), hypervisor, connectAgent, network: noNetwork, cgroups: noCgroups, shims, warn };
}

describe("what a machine lacks", () => {
  let vmRoot = "";

  beforeEach(() => {
    vmRoot = mkdtempSync(join(tmpdir(), "capabilities-"));
  });

  afterEach(() => {
    rmSync(vmRoot, { recursive: true });
  });

  it("is refused before a container's id is taken: block devices, of a sandbox's first container and of others", async () => {
    const hypervisor = new FakeHypervisor();
    hypervisor.capabilities = { ...ALL_CAPABILITIES, diskHotplug: false };
    const ports = portsOver(hypervisor);
    const devices = [{ path: "/dev/data", type: "b", major: 7, minor: 0 }];
    const config = { ...CONFIG, useBlockDevices: true, spec: { ...CONFIG.spec, linux: { devices } } };
    const refused = { code: "KATA_UNSUPPORTED", message: expect.stringContaining("/dev/data") as string };
    await expect(createContainer(config, SANDBOX, ports)).rejects.toMatchObject(refused);
    await expect(joinSandbox(config, ID, ports)).rejects.toMatchObject(refused);
    expect([await ports.store.list(), await hypervisor.found()]).toEqual([[], []]);
  });

  it("is refused before a tap is made: network cards", async () => {
    using namespace = NetworkNamespace.create();
    await runBatch("ip", namespace.path, [
      "link add eth0 type veth peer name far",
      ...["far", "eth0"].flatMap((name) => [`link set dev ${name} addrgenmode none`, `link set dev ${name} up`]),
      "addr add 10.9.0.2/24 dev eth0",
    ]);
    const hypervisor = new FakeHypervisor();
    hypervisor.capabilities = { ...ALL_CAPABILITIES, nicHotplug: false };
    const vm = await inNetworkNamespace(namespace.path, () => hypervisor.boot({ sandboxId: "pod" }));
    try {
      const network = new NamespaceNetwork({ model: "tcfilter", queues: 1, vhost: false, warn: () => undefined });
      const placed = hypervisor.reopen({ ...vm.state, dir: vmRoot });
      await expect(network.connect(placed, namespace)).rejects.toMatchObject({
        code: "KATA_UNSUPPORTED",
        message: expect.stringContaining("eth0") as string,
      });
      expect(await runBatch("ip", namespace.path, ["link show type tun"])).toBe("");
    } finally {
      await vm.stop();
    }
  });

  it("is there at boot where it is known by then: memory, of which later limits are refused and change nothing", async () => {
    const vmm = new FakeVmm({ vmRoot, lacks: { memoryHotplug: false, memoryShrink: false } });
    const ports = portsOver(new VmmHypervisor({ vmm }));
    const { record } = await createContainer(withMemory(512), SANDBOX, ports);
    try {
      expect(vmm.booted.get(record.vm?.dir ?? "")?.memoryMiB).toBe(256 + 512);
      await updateContainer(ID, { memory: { limit: 400 * MIB } }, ports);
      await expect(updateContainer(ID, { memory: { limit: 800 * MIB } }, ports)).rejects.toMatchObject({
        code: "KATA_UNSUPPORTED",
        message: expect.stringContaining("800 MiB") as string,
      });
      expect((await ports.store.read(ID)).demand).toEqual({ milliCpus: 0, memoryMiB: 400 });
    } finally {
      if (record.vm !== undefined) await ports.hypervisor.reopen(record.vm).stop();
    }
  });
});
