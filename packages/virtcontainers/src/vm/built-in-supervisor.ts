import { type MachineLauncher, type VmSpec, VmSupervisor } from "@kata-ts/proxy";
import type { BootRequest } from "../ports/hypervisor.ts";
import type { StartedSupervisor } from "./started-supervisor.ts";

/** Starts a VM's supervisor in this process. What it needs is loaded by this file: with kata-proxy, the caller needs none of it. */
export async function startBuiltIn(
  spec: VmSpec,
  launcher: MachineLauncher,
  { networkNamespace, onProcess }: BootRequest,
): Promise<StartedSupervisor> {
  const placed = networkNamespace === undefined ? spec : { ...spec, networkNamespace };
  const supervisor = await VmSupervisor.start(placed, launcher);
  for (const pid of [supervisor.pids.vmm, supervisor.pids.virtiofsd]) if (pid !== undefined) onProcess?.(pid);
  supervisor.forwardPorts();
  return {
    ended: supervisor.ended,
    commit: () => undefined,
    unref: () => {
      supervisor.unref();
    },
    stop: async () => {
      await supervisor.stop();
    },
  };
}
