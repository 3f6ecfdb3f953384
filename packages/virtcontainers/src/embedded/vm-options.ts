import type { QemuConfig } from "../vmm-qemu/qemu-config.ts";

/** The guest's kernel and image; everything else has a default. */
export type VmOptions = Pick<QemuConfig, "kernelPath" | "imagePath"> & Partial<QemuConfig>;
