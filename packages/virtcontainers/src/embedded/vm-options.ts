import type { QemuConfig } from "../vmm-qemu/qemu-config.ts";

/** The machine. Everything has a default; kernel and image are those of `@kata-ts/guest` where that is installed. */
export type VmOptions = Partial<QemuConfig>;
