import { type GuestProcess, PolledProcess, StreamedProcess } from "@kata-ts/shim";
import type { ContainerParts } from "./container-parts.ts";

/** The streams of a process that the guest has made: one of its own where the agent gave a token for it. */
export async function openGuestProcess(
  { id, agent, vm }: ContainerParts,
  { execId, token }: { readonly execId: string; readonly token?: Uint8Array | undefined },
): Promise<GuestProcess> {
  if (token !== undefined) return StreamedProcess.open(vm.state.agentUrl, token);
  return new PolledProcess(agent, { containerId: id, execId });
}
