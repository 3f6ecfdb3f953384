import { escapeControls } from "@kata-ts/linux";
import type { Ports } from "../environment.ts";
import type { ContainerId } from "../identifiers.ts";
import { asked } from "../sandbox/asked.ts";
import { requireStatus } from "./status.ts";

/** The guest's `ps` about this container's processes. @param args options for ps; `-ef` when empty */
export async function listProcesses(
  id: ContainerId,
  args: readonly string[],
  environment: Ports<"store" | "connectAgent">,
): Promise<string> {
  const vm = requireStatus(await environment.store.read(id), "list processes of", "created", "running", "paused");
  using agent = environment.connectAgent(vm.agentUrl);
  const request = { container_id: id, format: "table", args: [...args] };
  const { process_list } = await asked(`list processes of container ${id}`, agent.listProcesses(request));
  return escapeControls(Buffer.from(process_list).toString());
}
