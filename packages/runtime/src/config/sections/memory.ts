import { defaultQemuConfig } from "@kata-ts/virtcontainers";
import * as z from "zod/mini";
import { option, type ShapeOf } from "../option.ts";

export interface MemoryOptions {
  readonly default_memory?: number | undefined;
  readonly default_maxmemory?: number | undefined;
  readonly memory_slots?: number | undefined;
  readonly enable_mem_prealloc?: boolean | undefined;
  readonly enable_hugepages?: boolean | undefined;
  readonly enable_virtio_mem?: boolean | undefined;
  readonly file_mem_backend?: string | undefined;
  readonly valid_file_mem_backends?: readonly string[] | undefined;
}

/** A guest does not boot with less. */
const SMALLEST_MIB = 128;

export const memoryOptions: ShapeOf<MemoryOptions> = {
  default_memory: option(
    z
      .int()
      .check(z.refine((size) => size === 0 || size >= SMALLEST_MIB, `must be at least ${String(SMALLEST_MIB)}, or 0`)),
    { about: "at boot; touched lazily. 0: the default", unit: "MiB", initial: defaultQemuConfig.memoryMiB },
  ),
  default_maxmemory: option(z.int().check(z.minimum(0)), {
    about: "the most that an annotation may ask for; 0: as much as the host has",
    unit: "MiB",
    initial: 0,
  }),
  memory_slots: option(z.int().check(z.minimum(0)), {
    about: "how many times memory can be plugged in, up to 24; 0: the default",
    initial: 24,
  }),
  enable_mem_prealloc: option(z.boolean(), {
    about: "take all of the guest's memory at its start, not when it is first written to",
    initial: false,
  }),
  enable_hugepages: option(z.boolean(), {
    about: "guest memory of the host's huge pages, which must be free (`vm.nr_hugepages`); not with `enable_template`",
    initial: false,
  }),
  enable_virtio_mem: option(z.boolean(), {
    about:
      "what limits add to a VM is given back when they ask for less; not with `enable_mem_prealloc`, `enable_hugepages`, `enable_template`",
    initial: false,
  }),
  file_mem_backend: option(z.string(), {
    about: "a directory in which guest memory is kept as files without names; not with `enable_template`",
    initial: "",
    hostOnly: true,
    validPaths: "valid_file_mem_backends",
  }),
  valid_file_mem_backends: option(z.array(z.string()), {
    about: "globs of what an annotation may set `file_mem_backend` to",
    initial: [],
    hostOnly: true,
  }),
};
