import { statSync } from "node:fs";
import type { VmState } from "../ports/hypervisor.ts";
import type { ShimTarget } from "../ports/shims.ts";

/**
 * What a shim of a VM's process connects to, and the user that it becomes: the second one of the VM, of which QEMU has the first.
 * Where QEMU is not confined, neither are shims.
 *
 * @param token of the agent, where it has given one for the process
 */
export function shimTarget({ agentUrl, vmm }: VmState, token: Uint8Array | undefined): ShimTarget {
  const user = secondUser(vmm.pid);
  return { agent: agentUrl, ...(token === undefined ? {} : { token }), ...(user === undefined ? {} : { user }) };
}

function secondUser(monitor: number): number | undefined {
  const uid = statSync(`/proc/${String(monitor)}`, { throwIfNoEntry: false })?.uid ?? 0;
  return uid === 0 ? undefined : uid + 1;
}
