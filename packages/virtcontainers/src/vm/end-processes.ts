import { setTimeout as delay } from "node:timers/promises";
import { isAlive, signalProcess } from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { StartedSupervisor } from "./started-supervisor.ts";

const STOP_DEADLINE_MS = 3_000;
const KILL_DEADLINE_MS = 5_000;

/**
 * Ends all processes of a VM. The supervisor is asked first and ends the others; what is left after a while is killed.
 *
 * @throws KataError KATA_STATE when they do not end, even by SIGKILL
 */
export async function endProcesses(state: VmState, supervisor: StartedSupervisor | undefined): Promise<void> {
  const [first] = state.processes;
  if (supervisor !== undefined)
    await Promise.race([supervisor.stop(), delay(STOP_DEADLINE_MS, undefined, { ref: false })]);
  else if (first !== undefined) signalProcess(first, "SIGTERM");
  const killAt = performance.now() + STOP_DEADLINE_MS;
  while (state.processes.some(isAlive)) {
    if (performance.now() > killAt) for (const process of state.processes) signalProcess(process, "SIGKILL");
    if (performance.now() > killAt + KILL_DEADLINE_MS) throw stuck(state);
    await delay(5);
  }
}

function stuck(state: VmState): KataError {
  const pids = state.processes.filter(isAlive).map(({ pid }) => pid);
  return new KataError("KATA_STATE", `processes ${pids.join(", ")} of ${state.dir} do not end, even by SIGKILL`, {
    hint: "they hang in the kernel: look at their state with ps, then delete again",
  });
}
