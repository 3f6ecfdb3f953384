import type { MemoryTuning } from "./vm-tuning.ts";

/** Huge pages of 2 MiB are the unit in which a backend of them is sized. */
const HUGE_PAGE_MIB = 2;

/** QEMU's object that holds guest memory, and its properties but for id and size. */
export interface MemoryBackend {
  readonly type: "memory-backend-memfd" | "memory-backend-file";
  readonly properties: Readonly<Record<string, string | boolean>>;
}

/** Shared in every case: vhost-user devices (virtio-fs) need memory that another process can map. */
export function memoryBackendOf({ hugePages, preallocated, directory }: MemoryTuning = {}): MemoryBackend {
  const common = { share: true, ...(preallocated === true ? { prealloc: true } : {}) };
  if (directory !== undefined) return { type: "memory-backend-file", properties: { ...common, "mem-path": directory } };
  const huge = hugePages === true ? { hugetlb: true } : {};
  return { type: "memory-backend-memfd", properties: { ...common, ...huge } };
}

/** @throws RangeError where huge pages cannot make up a size */
export function checkMemorySize(sizeMiB: number, { hugePages }: MemoryTuning = {}): void {
  if (hugePages === true && sizeMiB % HUGE_PAGE_MIB !== 0)
    throw new RangeError(
      `${String(sizeMiB)} MiB of guest memory are no multiple of a huge page, ${String(HUGE_PAGE_MIB)} MiB`,
    );
}
