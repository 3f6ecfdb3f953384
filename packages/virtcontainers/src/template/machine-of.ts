import type { QemuConfig } from "../hypervisor/qemu-config.ts";
import { vmDirectory } from "../hypervisor/vm-directory.ts";
import { vmConfig } from "../hypervisor/vm-spec.ts";

/** The machine that a configuration's templates are of. */
export function machineOf(config: QemuConfig, accelerator: "kvm" | "tcg"): ReturnType<typeof vmConfig> {
  return vmConfig(config, accelerator, vmDirectory("/"), "");
}
