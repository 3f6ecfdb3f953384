import type { grpc } from "@kata-ts/agent-protocol";
import { requireStatus } from "../container/status.ts";
import type { ContainerId } from "../identifiers.ts";
import type { Agent } from "../ports/agent.ts";
import type { Vm, VmState } from "../ports/hypervisor.ts";
import type { Ports } from "../ports/ports.ts";
import { followResolver } from "../sandbox/resolver.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import type { GuestInterface, GuestRoute } from "./guest-view.ts";

/** Brings a guest up to date with what has changed in its container's network namespace. */
export async function syncNetwork(id: ContainerId, ports: Ports): Promise<void> {
  await withGuest(id, ports, "change the network of", async (vm, agent, recorded) => {
    await ports.network.sync(vm, agent);
    // A process that owns the VM has it as it was booted: its resolv.conf was noted afterwards.
    await followResolver(recorded, agent, ports.warn);
  });
}

/**
 * Gives an interface of the container's network namespace to the guest, also one without an address there.
 *
 * @returns what the guest made of it
 */
export async function addInterface(id: ContainerId, wanted: GuestInterface, ports: Ports): Promise<grpc.Interfaces> {
  return withGuest(id, ports, "change the network of", async (vm, agent) => {
    await ports.network.add(vm, agent, wanted);
    return agent.listInterfaces({});
  });
}

/** Takes an interface out of the guest, by its MAC address or its name. */
export async function removeInterface(
  id: ContainerId,
  unwanted: GuestInterface,
  ports: Ports,
): Promise<grpc.Interfaces> {
  return withGuest(id, ports, "change the network of", async (vm, agent) => {
    await ports.network.remove(vm, agent, unwanted);
    return agent.listInterfaces({});
  });
}

export async function listInterfaces(id: ContainerId, ports: Ports): Promise<grpc.Interfaces> {
  return withGuest(id, ports, "ask", (_, agent) => wrapAgentError("list interfaces", agent.listInterfaces({})));
}

export async function listRoutes(id: ContainerId, ports: Ports): Promise<grpc.Routes> {
  return withGuest(id, ports, "ask", (_, agent) => wrapAgentError("list routes", agent.listRoutes({})));
}

/** Replaces the guest's routes, until they change in the namespace. */
export async function updateRoutes(id: ContainerId, routes: readonly GuestRoute[], ports: Ports): Promise<grpc.Routes> {
  return withGuest(id, ports, "change the network of", (_, agent) =>
    wrapAgentError("set up routes", agent.updateRoutes({ routes: { Routes: [...routes] } })),
  );
}

async function withGuest<T>(
  id: ContainerId,
  ports: Ports,
  what: string,
  body: (vm: Vm, agent: Agent, recorded: VmState) => Promise<T>,
): Promise<T> {
  const state = requireStatus(await ports.store.read(id), what, "created", "running", "paused");
  using agent = ports.connectAgent(state.agentUrl);
  return await body(ports.hypervisor.reopen(state), agent, state);
}
