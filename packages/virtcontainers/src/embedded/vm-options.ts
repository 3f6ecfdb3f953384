import type { QemuConfig } from "../hypervisor/qemu-config.ts";

/** The guest's kernel and image; everything else has a default. */
export type VmOptions = Pick<QemuConfig, "kernelPath" | "imagePath"> & Partial<QemuConfig>;
