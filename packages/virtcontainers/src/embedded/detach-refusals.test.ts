import type { PublishedPort } from "@kata-ts/netns/nat";
import { expect, it } from "vitest";
import { parseContainerId } from "../identifiers.ts";
import { createSandbox } from "../sandbox/create.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { fakePorts } from "../testing/fake-ports.ts";
import { detachSandbox } from "./detach.ts";

const PORTS: readonly PublishedPort[] = [
  { host: 40_123, container: 8080, protocol: "tcp", address: "127.0.0.1" },
  { host: 53, container: 5353, protocol: "udp", address: "0.0.0.0" },
];

it.each<[string, readonly PublishedPort[], string]>([
  ["the network nat", [], 'this program carries its network "nat"'],
  [
    "published ports",
    PORTS,
    'this program carries its network "nat", with its published ports (40123 to 8080, 53 to 5353)',
  ],
])("a sandbox with %s is refused to be detached by name, before anything changes", async (_what, published, why) => {
  const agent = new FakeAgent();
  const ports = fakePorts(() => agent.connect());
  await using live = await createSandbox(
    { id: parseContainerId("web"), hostname: "web", sharePidNamespace: false, bootDeadlineMs: 1000, detachable: true },
    ports,
  );
  const calls = [...agent.calls];
  const changed: string[] = [];
  const detaching = detachSandbox(
    {
      ...{ live, ports, isDetachable: true, options: {}, idle: { attached: [] } },
      network: { hasNat: true, ports: published },
      containers: { letGo: () => Promise.reject(new Error("a container was let go of")) },
      leave: () => changed.push("left"),
    },
    new AbortController().signal,
  );
  await expect(detaching).rejects.toMatchObject({
    code: "KATA_UNSUPPORTED",
    message: `sandbox web cannot be detached: ${why}`,
    hint: "create it without a network, or in a network namespace of its own: network.namespace",
  });
  expect([agent.calls, changed]).toEqual([calls, []]);
  expect((await ports.hypervisor.found()).map(({ detached }) => detached)).toEqual([undefined]);
});
