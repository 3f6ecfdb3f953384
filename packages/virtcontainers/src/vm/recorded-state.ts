import type { ProcessIdentity } from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import type { VmState } from "../ports/hypervisor.ts";
import { serialAgentUrl, vmDirectory } from "./vm-directory.ts";
import { readProcesses } from "./vm-owner.ts";

/** No process has this identity. */
export const NO_PROCESS: ProcessIdentity = { pid: 2 ** 31 - 1, startTime: 0 };

/**
 * The state of a VM that was started, as its supervisor has recorded its processes, even where one has ended already.
 *
 * @throws KataError KATA_PROXY where they are not recorded
 */
export async function startedState(dir: string, accelerator: string): Promise<VmState> {
  const state = await recordedState(dir, accelerator);
  if (state.vmm !== NO_PROCESS) return state;
  throw new KataError("KATA_PROXY", `the VM's supervisor has not noted its processes in ${dir}`);
}

/** The state of a VM as far as it is recorded: enough to end it. */
export async function recordedState(dir: string, accelerator: string): Promise<VmState> {
  const { processes = [], vmm = NO_PROCESS, agentUrl } = (await readProcesses(dir)) ?? {};
  return { dir, agentUrl: agentUrl ?? serialAgentUrl(vmDirectory(dir)), processes, vmm, accelerator };
}
