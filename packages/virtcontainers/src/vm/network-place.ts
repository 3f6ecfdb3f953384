import type { VmState } from "../ports/hypervisor.ts";

/**
 * The network namespace of a VM's sandbox: that of the process whose end ends the others first. QEMU may be in another
 * one, where it was started before it was known what it is for.
 */
export function networkNamespaceOf({ processes, vmm }: Pick<VmState, "processes" | "vmm">): string {
  const { pid } = processes[0] ?? vmm;
  return `/proc/${String(pid)}/ns/net`;
}
