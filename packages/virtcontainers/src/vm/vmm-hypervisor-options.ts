import type { VmCache } from "../cache/vm-cache.ts";
import type { Vmm } from "../ports/vmm.ts";
import type { Factory } from "../template/clone.ts";

export interface VmmHypervisorOptions {
  readonly vmm: Vmm;
  /** kata-proxy; without it the supervisor lives in this process, and the VMs end with it. */
  readonly proxyPath?: string | undefined;
  /** VMs are cloned from its templates where it has one for them. */
  readonly factory?: Factory | undefined;
  /** VMs are taken from it where one waits. */
  readonly cache?: Pick<VmCache, "take"> | undefined;
}
