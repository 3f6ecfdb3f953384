import type { Options } from "./options.ts";

/** Kata has an enable_debug in each section. */
export function isDebug({ hypervisor, proxy, shim, agent, runtime, netmon }: Options): boolean {
  const sections = [hypervisor?.qemu, proxy?.kata, shim?.kata, agent?.kata, runtime, netmon];
  return sections.some((section) => section?.enable_debug === true);
}
