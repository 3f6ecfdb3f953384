import type { VmCache } from "../cache/vm-cache.ts";
import type { Factory } from "../template/clone.ts";
import type { QemuConfig } from "./qemu-config.ts";

export interface QemuHypervisorOptions {
  readonly config: QemuConfig;
  /** kata-proxy; without it the watchman lives in this process, and the VMs end with it. */
  readonly proxyPath?: string;
  /** VMs are cloned from its templates where it has one for them. */
  readonly factory?: Factory;
  /** VMs are taken from it where one waits. */
  readonly cache?: Pick<VmCache, "take">;
}
