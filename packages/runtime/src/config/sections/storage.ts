import { defaultQemuConfig } from "@kata-ts/virtcontainers";
import * as z from "zod/mini";
import { option, type ShapeOf } from "../option.ts";

/** How files and disks of the host come into the guest. */
export interface StorageOptions {
  readonly shared_fs?: "virtio-fs" | "virtio-9p" | "none" | "" | undefined;
  readonly enable_checkpoint?: boolean | undefined;
  readonly virtio_fs_daemon?: string | undefined;
  readonly valid_virtio_fs_daemon_paths?: readonly string[] | undefined;
  readonly virtio_fs_cache?: "none" | "auto" | "always" | "" | undefined;
  readonly virtio_fs_extra_args?: readonly string[] | undefined;
  readonly msize_9p?: number | undefined;
  readonly disable_block_device_use?: boolean | undefined;
  readonly block_device_driver?: "virtio-blk" | "virtio-scsi" | "" | undefined;
  readonly block_device_cache_set?: boolean | undefined;
  readonly block_device_cache_direct?: boolean | undefined;
  readonly block_device_cache_noflush?: boolean | undefined;
  readonly enable_iothreads?: boolean | undefined;
}

/** Linux takes no smaller messages. */
const SMALLEST_MSIZE = 4096;

export const storageOptions: ShapeOf<StorageOptions> = {
  shared_fs: option(z.enum(["virtio-fs", "virtio-9p", "none", ""]), {
    about:
      "how files are shared; `virtio-9p` needs the tuned kernel; `none`: root file systems are disks, and a sandbox can be saved",
    initial: defaultQemuConfig.sharedFs,
  }),
  enable_checkpoint: option(z.boolean(), {
    about:
      "with `virtio-fs`: sandboxes can be saved; needs QEMU 8.2 and virtiofsd 1.11, and gives a VM all its memory at boot",
    initial: false,
  }),
  virtio_fs_daemon: option(z.string(), {
    about: "virtiofsd, of either kind; the installed one has libraries of its own",
    initial: "<installed, else the distribution's>",
    hostOnly: true,
    validPaths: "valid_virtio_fs_daemon_paths",
  }),
  valid_virtio_fs_daemon_paths: option(z.array(z.string()), {
    about: "globs of what an annotation may set `virtio_fs_daemon` to",
    initial: [],
    hostOnly: true,
  }),
  virtio_fs_cache: option(z.enum(["none", "auto", "always", ""]), {
    about: "what guests may keep of the files they see: `none`, `auto` or `always`",
    initial: defaultQemuConfig.virtioFsCache,
  }),
  virtio_fs_extra_args: option(z.array(z.string()), {
    about: "appended to virtiofsd's arguments, which they override",
    initial: [],
    hostOnly: true, // They can name another directory to serve.
  }),
  msize_9p: option(
    z
      .int()
      .check(
        z.refine((size) => size === 0 || size >= SMALLEST_MSIZE, `must be at least ${String(SMALLEST_MSIZE)}, or 0`),
      ),
    { about: "size of a 9p message; 0: the default", unit: "bytes", initial: defaultQemuConfig.msize9p },
  ),
  disable_block_device_use: option(z.boolean(), {
    about:
      "`false`: block devices of config.json, and that of a root file system on a device of its own, are given to the guest as disks",
    initial: true,
  }),
  block_device_driver: option(z.enum(["virtio-blk", "virtio-scsi", ""]), {
    about:
      "what disks are: `virtio-blk`, or `virtio-scsi`, Kata 1.x's default: units of one adapter, which need no ports. Containers find their devices under the names of config.json either way",
    initial: "virtio-blk",
  }),
  block_device_cache_set: option(z.boolean(), {
    about: "`true`: the two options below hold for disks; else the host's page cache is passed by, and nothing else",
    initial: false,
  }),
  block_device_cache_direct: option(z.boolean(), {
    about: "with `block_device_cache_set`: disks pass the host's page cache by",
    initial: false,
  }),
  block_device_cache_noflush: option(z.boolean(), {
    about: "with `block_device_cache_set`: a guest's wish that data be durable is ignored",
    initial: false,
  }),
  enable_iothreads: option(z.boolean(), { about: "a thread of its own serves a VM's disks", initial: false }),
};
