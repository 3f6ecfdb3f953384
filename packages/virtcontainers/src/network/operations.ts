import type { grpc } from "@kata-ts/agent-protocol";
import { requireStatus } from "../container/status.ts";
import type { Environment } from "../environment.ts";
import type { ContainerId } from "../identifiers.ts";
import type { Agent } from "../ports/agent.ts";
import type { Vm } from "../ports/hypervisor.ts";
import { asked } from "../sandbox/asked.ts";
import { followResolver } from "../sandbox/resolver.ts";
import type { GuestInterface, GuestRoute } from "./guest-view.ts";

/** Brings a guest up to date with what has changed in its container's network namespace. */
export async function syncNetwork(id: ContainerId, environment: Environment): Promise<void> {
  await withGuest(id, environment, "change the network of", async (vm, agent) => {
    await environment.network.sync(vm, agent);
    await followResolver(vm.state, agent, environment.warn);
  });
}

/**
 * Gives an interface of the container's network namespace to the guest, also one without an address there.
 *
 * @returns what the guest made of it
 */
export async function addInterface(
  id: ContainerId,
  wanted: GuestInterface,
  environment: Environment,
): Promise<grpc.Interfaces> {
  return withGuest(id, environment, "change the network of", async (vm, agent) => {
    await environment.network.add(vm, agent, wanted);
    return agent.listInterfaces({});
  });
}

/** Takes an interface out of the guest, by its MAC address or its name. */
export async function removeInterface(
  id: ContainerId,
  unwanted: GuestInterface,
  environment: Environment,
): Promise<grpc.Interfaces> {
  return withGuest(id, environment, "change the network of", async (vm, agent) => {
    await environment.network.remove(vm, agent, unwanted);
    return agent.listInterfaces({});
  });
}

export async function listInterfaces(id: ContainerId, environment: Environment): Promise<grpc.Interfaces> {
  return withGuest(id, environment, "ask", (_, agent) => asked("list interfaces", agent.listInterfaces({})));
}

export async function listRoutes(id: ContainerId, environment: Environment): Promise<grpc.Routes> {
  return withGuest(id, environment, "ask", (_, agent) => asked("list routes", agent.listRoutes({})));
}

/** Replaces the guest's routes, until they change in the namespace. */
export async function updateRoutes(
  id: ContainerId,
  routes: readonly GuestRoute[],
  environment: Environment,
): Promise<grpc.Routes> {
  return withGuest(id, environment, "change the network of", (_, agent) =>
    asked("set up routes", agent.updateRoutes({ routes: { Routes: [...routes] } })),
  );
}

async function withGuest<T>(
  id: ContainerId,
  environment: Environment,
  what: string,
  body: (vm: Vm, agent: Agent) => Promise<T>,
): Promise<T> {
  const state = requireStatus(await environment.store.read(id), what, "created", "running", "paused");
  using agent = environment.connectAgent(state.agentUrl);
  return await body(environment.hypervisor.reopen(state), agent);
}
