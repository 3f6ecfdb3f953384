import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseContainerId } from "../identifiers.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { fakePorts } from "../testing/fake-ports.ts";
import { writeFakeSnapshot } from "../testing/fake-snapshot.ts";
import { openSnapshot, restoreSandbox } from "./restore.ts";

it.each([
  ["lets the containers run that stood still when they were saved", false, []],
  ["holds all of its containers, where it is asked to", true, ["one", "two"]],
])("%s", async (_, held, paused) => {
  const parent = await mkdtemp(join(tmpdir(), "restore-"));
  const directory = join(parent, "snapshot");
  const guest = new FakeAgent();
  const ports = fakePorts(() => guest.connect());
  const agent = guest.connect();
  await agent.createSandbox({});
  for (const container_id of ["one", "two"]) await agent.createContainer({ container_id });
  await agent.pauseContainer({ container_id: "two" });
  await writeFakeSnapshot(directory, await ports.hypervisor.fingerprint(), ["one", "two"]);
  {
    using snapshot = await openSnapshot(directory, ports);
    await using _sandbox = await restoreSandbox(snapshot, { id: parseContainerId("restored"), held }, ports);
    expect(guest.paused).toEqual(paused);
    expect(guest.calls.includes("resumeContainer"), "none runs for a moment that is held").toBe(!held);
  }
  await rm(parent, { recursive: true });
});

it("holds also by a guest that pauses nothing twice", async () => {
  const parent = await mkdtemp(join(tmpdir(), "restore-"));
  const directory = join(parent, "snapshot");
  const guest = new FakeAgent();
  const connection = guest.connect();
  const pauseContainer: typeof connection.pauseContainer = async (request) => {
    if (guest.paused.includes(request.container_id ?? "")) throw new Error("not running");
    return connection.pauseContainer(request);
  };
  const ports = fakePorts(() => ({ ...guest.connect(), pauseContainer }));
  await connection.createSandbox({});
  await connection.createContainer({ container_id: "one" });
  await connection.pauseContainer({ container_id: "one" });
  await writeFakeSnapshot(directory, await ports.hypervisor.fingerprint(), ["one"]);
  {
    using snapshot = await openSnapshot(directory, ports);
    await using _sandbox = await restoreSandbox(snapshot, { id: parseContainerId("restored"), held: true }, ports);
    expect(guest.paused).toEqual(["one"]);
  }
  await rm(parent, { recursive: true });
});
