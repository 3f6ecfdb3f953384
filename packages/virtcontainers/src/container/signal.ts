import { AgentRpcError, RpcStatus } from "@kata-ts/agent-protocol";
import type { ContainerId } from "../identifiers.ts";
import type { Ports } from "../ports/ports.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { requireStatus, statusOf } from "./status.ts";

const SIGKILL = 9;

/**
 * Sends a signal to the container's first process, or to all of its processes.
 *
 * @throws KataError KATA_STATE "container not running"
 */
export async function killContainer(
  id: ContainerId,
  signal: number,
  all: boolean,
  ports: Ports<"store" | "cgroups" | "connectAgent">,
): Promise<void> {
  const record = await ports.store.read(id);
  // Engines end what may be left of a container that has stopped: there is nothing, which is what they want.
  if (all && statusOf(record) === "stopped") return;
  const vm = requireStatus(record, "kill", "created", "running", "paused");
  if (signal === SIGKILL) {
    // As runc: what another program has frozen on the host cannot end, nor tell that it has.
    ports.cgroups.thaw(record.cgroup);
    ports.cgroups.thaw(vm.cgroup);
  }
  using agent = ports.connectAgent(vm.agentUrl);
  const request = { container_id: id, exec_id: all ? "" : id, signal };
  await wrapAgentError(`signal container ${id}`, agent.signalProcess(request).catch(forgiveGone));
}

function forgiveGone(error: unknown): void {
  if (!(error instanceof AgentRpcError && error.status === RpcStatus.NotFound)) throw error;
}
