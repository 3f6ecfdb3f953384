import { KataError } from "@kata-ts/virtcontainers";
import type { Options } from "./options.ts";

const CLONED = "memory of a cloned VM is a copy of the template's file";
const SERIAL = "a saved guest is reached over its serial port";
const GROWING = "memory that can be taken away again is allocated when the guest first writes to it";

/** Pairs of options of which one is wrong, with what is in the way. @throws KataError KATA_CONFIG */
export function checkTogether({ hypervisor, factory }: Options): void {
  const { qemu = {} } = hypervisor ?? {};
  const options = {
    enable_template: factory?.enable_template === true,
    enable_hugepages: qemu.enable_hugepages === true,
    enable_mem_prealloc: qemu.enable_mem_prealloc === true,
    vm_cache_number: (factory?.vm_cache_number ?? 0) > 0,
    use_vsock: qemu.use_vsock === true,
    enable_virtio_mem: qemu.enable_virtio_mem === true,
    machine_type: qemu.machine_type === "microvm",
    enable_iommu: qemu.enable_iommu === true,
    'shared_fs = "none"': qemu.shared_fs === "none",
    file_mem_backend: (qemu.file_mem_backend ?? "") !== "",
  };
  const pairs: readonly (readonly [keyof typeof options, keyof typeof options, string])[] = [
    ["enable_template", "enable_hugepages", CLONED],
    ["enable_template", "file_mem_backend", CLONED],
    ["enable_template", "enable_virtio_mem", CLONED],
    ["machine_type", "enable_template", "a microvm cannot be saved"],
    ["machine_type", "enable_virtio_mem", "a microvm has its memory at boot"],
    ["machine_type", "enable_iommu", "a microvm has no IOMMU"],
    ['shared_fs = "none"', "enable_virtio_mem", "a machine that can be saved has its memory at boot"],
    ["use_vsock", "enable_template", SERIAL],
    ["use_vsock", "vm_cache_number", SERIAL],
    ["enable_virtio_mem", "enable_hugepages", GROWING],
    ["enable_virtio_mem", "enable_mem_prealloc", GROWING],
  ];
  for (const [one, other, why] of pairs) {
    if (!options[one] || !options[other]) continue;
    throw new KataError("KATA_CONFIG", `${one} does not go with ${other}`, {
      hint: `${why}: turn one of them off in configuration.toml`,
    });
  }
}
