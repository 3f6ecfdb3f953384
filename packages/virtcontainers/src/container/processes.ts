import { escapeControls } from "@kata-ts/linux";
import type { ContainerId } from "../identifiers.ts";
import type { Ports } from "../ports/ports.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { requireStatus } from "./status.ts";

/** The guest's `ps` about this container's processes. @param args options for ps; `-ef` when empty */
export async function listProcesses(
  id: ContainerId,
  args: readonly string[],
  ports: Ports<"store" | "connectAgent">,
): Promise<string> {
  const vm = requireStatus(await ports.store.read(id), "list processes of", "created", "running", "paused");
  using agent = ports.connectAgent(vm.agentUrl);
  const request = { container_id: id, format: "table", args: [...args] };
  const { process_list } = await wrapAgentError(`list processes of container ${id}`, agent.listProcesses(request));
  return escapeControls(Buffer.from(process_list).toString());
}
