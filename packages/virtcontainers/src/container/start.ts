import { identifyProcess } from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import { runPoststartHooks } from "../hooks/hooks.ts";
import type { ContainerId } from "../identifiers.ts";
import type { Ports } from "../ports/ports.ts";
import type { ContainerRecord } from "../ports/store.ts";
import { setClock } from "../sandbox/clock.ts";
import { followResolver } from "../sandbox/resolver.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { requireStatus, statusOf } from "./status.ts";

/** Lets a created container's first process run. @throws KataError KATA_STATE, KATA_AGENT */
export async function startContainer(
  id: ContainerId,
  ports: Ports<"store" | "hypervisor" | "network" | "connectAgent">,
): Promise<ContainerRecord> {
  const { store } = ports;
  const record = await store.update(id, (before) => {
    requireCreated(before);
    return { ...before, status: "starting", worker: identifyProcess(process.pid) };
  });
  const vm = requireStatus(record, "start", "created");
  using agent = ports.connectAgent(vm.agentUrl);
  try {
    // Docker 26 and later attach networks between create and start.
    await ports.network.sync(ports.hypervisor.reopen(vm), agent);
    await followResolver(vm, agent, ports.warn);
    await wrapAgentError("set the guest's clock", setClock(agent));
    await wrapAgentError(`start container ${id}`, agent.startContainer({ container_id: id }));
  } catch (error) {
    await store.update(id, (before) => ({ ...before, status: "created" }), record.incarnation).catch(() => undefined);
    throw error;
  }
  const started = await store.update(
    id,
    (before) => (before.status === "starting" ? { ...before, status: "running" } : before),
    record.incarnation,
  );
  ports.trace?.("container-started", id);
  await runPoststartHooks(started, ports.warn);
  return started;
}

// runc's words for the two ways to be too late.
function requireCreated(record: ContainerRecord): void {
  const status = statusOf(record);
  if (record.status === "created" && status === "created") return;
  if (status === "stopped") throw new KataError("KATA_STATE", "cannot start a container that has stopped");
  if (status === "creating") throw new KataError("KATA_STATE", "cannot start a container that is still being created");
  throw new KataError("KATA_STATE", "cannot start an already running container");
}
