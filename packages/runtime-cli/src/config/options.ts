import { defaultQemuConfig } from "@kata-ts/virtcontainers";
import * as z from "zod/mini";
import { DEFAULT_TEMPLATE_PATH } from "./installation.ts";
import { option } from "./option.ts";

/** What configuration.toml may say; what it does not is absent. */
export interface Options {
  readonly hypervisor?: { readonly qemu?: HypervisorOptions | undefined } | undefined;
  readonly proxy?: { readonly kata?: ComponentOptions | undefined } | undefined;
  readonly shim?: { readonly kata?: ComponentOptions | undefined } | undefined;
  readonly runtime?: RuntimeOptions | undefined;
  readonly netmon?: { readonly enable_netmon?: boolean | undefined } | undefined;
  readonly factory?: FactoryOptions | undefined;
}

/** Explained by its schema, option by option. */
export interface HypervisorOptions {
  readonly path?: string | undefined;
  readonly kernel?: string | undefined;
  readonly initrd?: string | undefined;
  readonly image?: string | undefined;
  readonly firmware?: string | undefined;
  readonly disable_image_nvdimm?: boolean | undefined;
  readonly accel?: "auto" | "kvm" | "tcg" | undefined;
  readonly kernel_params?: string | undefined;
  readonly default_vcpus?: number | undefined;
  readonly default_maxvcpus?: number | undefined;
  readonly default_memory?: number | undefined;
  readonly default_maxmemory?: number | undefined;
  readonly shared_fs?: "virtio-fs" | "virtio-9p" | undefined;
  readonly virtio_fs_daemon?: string | undefined;
  readonly virtio_fs_cache?: "none" | "auto" | "always" | undefined;
  readonly disable_block_device_use?: boolean | undefined;
  readonly msize_9p?: number | undefined;
  readonly pcie_root_port?: number | undefined;
  readonly disable_vhost_net?: boolean | undefined;
  readonly rx_rate_limiter_max_rate?: number | undefined;
  readonly tx_rate_limiter_max_rate?: number | undefined;
  readonly enable_annotations?: readonly string[] | undefined;
}

interface ComponentOptions {
  readonly path?: string | undefined;
}

interface FactoryOptions {
  readonly enable_template?: boolean | undefined;
  readonly template_path?: string | undefined;
  readonly vm_cache_number?: number | undefined;
}

interface RuntimeOptions {
  readonly enable_debug?: boolean | undefined;
  readonly boot_timeout?: number | undefined;
  readonly internetworking_model?: "tcfilter" | "macvtap" | "none" | "default" | undefined;
  readonly disable_new_netns?: boolean | undefined;
}

/** Kata's sections and option names; docs/configuration.md is generated from what is said here. */
const hypervisorOptions = z.object({
  path: option(z.string(), { about: "QEMU", initial: defaultQemuConfig.qemuPath, isPath: true }),
  kernel: option(z.string(), {
    about: "guest kernel: uncompressed with PVH, or a bzImage",
    initial: "<installed>",
    isPath: true,
  }),
  initrd: option(z.string(), {
    about: "initial RAM disk; not used with a `kernel` of your own unless given",
    initial: "<installed beside the kernel, if there is one>",
    isPath: true,
  }),
  image: option(z.string(), {
    about: "guest root file system, ext4, attached read-only",
    initial: "<installed>",
    isPath: true,
  }),
  firmware: option(z.string(), {
    about: "the machine's firmware, which starts the kernel; qboot is the one of that name that comes with QEMU",
    initial: "<qboot under TCG, QEMU's own under KVM>",
    isPath: true,
  }),
  disable_image_nvdimm: option(z.boolean(), {
    about:
      "`true`: the image is always a disk; else it is memory that guests share where it can be: no `initrd`, a size in whole 128 MiB, a kernel with virtio-pmem and DAX",
    initial: false,
  }),
  accel: option(z.enum(["auto", "kvm", "tcg"]), {
    about: "`auto` uses KVM only where a guest really boots under it; the others insist",
    initial: defaultQemuConfig.accelerator,
  }),
  kernel_params: option(z.string(), { about: "appended to the guest kernel's command line", initial: "" }),
  default_vcpus: option(z.int().check(z.minimum(1), z.maximum(8)), {
    about: "at boot, 1 to 8",
    initial: defaultQemuConfig.vcpus,
  }),
  default_maxvcpus: option(z.int().check(z.minimum(0), z.maximum(8)), {
    about:
      "how many the limits of its containers, or an annotation, may make it, up to 8; 0: as many as the host has, but under TCG limits add none",
    initial: 0,
  }),
  default_memory: option(z.int().check(z.minimum(128)), {
    about: "at boot; touched lazily",
    unit: "MiB",
    initial: defaultQemuConfig.memoryMiB,
  }),
  default_maxmemory: option(z.int().check(z.minimum(0)), {
    about: "the most that an annotation may ask for; 0: as much as the host has",
    unit: "MiB",
    initial: 0,
  }),
  shared_fs: option(z.enum(["virtio-fs", "virtio-9p"]), {
    about: "how files are shared; `virtio-9p` needs the tuned kernel",
    initial: defaultQemuConfig.sharedFs,
  }),
  virtio_fs_daemon: option(z.string(), {
    about: "virtiofsd",
    initial: defaultQemuConfig.virtiofsdPath,
    isPath: true,
  }),
  virtio_fs_cache: option(z.enum(["none", "auto", "always"]), {
    about: "what guests may keep of the files they see: `none`, `auto` or `always`",
    initial: defaultQemuConfig.virtioFsCache,
  }),
  disable_block_device_use: option(z.boolean(), {
    about:
      "`false`: block devices of config.json, and one that a root file system is the whole of, are given to the guest as disks",
    initial: true,
  }),
  msize_9p: option(z.int().check(z.minimum(4096)), {
    about: "size of a 9p message",
    unit: "bytes",
    initial: defaultQemuConfig.msize9p,
  }),
  pcie_root_port: option(z.int().check(z.minimum(2), z.maximum(14)), {
    about: "ports to plug devices into, 2 to 14: one is the shared tree's, the others are for network cards and disks",
    initial: defaultQemuConfig.rootPorts,
  }),
  disable_vhost_net: option(z.boolean(), {
    about: "do not use `/dev/vhost-net`, also where it is there",
    initial: false,
  }),
  rx_rate_limiter_max_rate: option(z.int().check(z.minimum(0)), {
    about: "of each interface, towards the guest; 0 is unlimited",
    unit: "bits per second",
    initial: 0,
  }),
  tx_rate_limiter_max_rate: option(z.int().check(z.minimum(0)), {
    about: "of each interface, from the guest; 0 is unlimited",
    unit: "bits per second",
    initial: 0,
  }),
  enable_annotations: option(z.array(z.string().check(z.refine(isPattern, "not a regular expression"))), {
    about: "patterns of options of this section and of `[runtime]` that a sandbox may set by annotation",
    initial: [],
  }),
});

const runtimeOptions = z.object({
  enable_debug: option(z.boolean(), { about: "log more", initial: false }),
  boot_timeout: option(z.number().check(z.minimum(1)), {
    about: "that a guest may take to boot",
    unit: "seconds",
    initial: 60,
  }),
  internetworking_model: option(z.enum(["tcfilter", "macvtap", "none", "default"]), {
    about: "how interfaces are joined to the VM; `none`: only the loopback",
    initial: "tcfilter",
  }),
  disable_new_netns: option(z.boolean(), {
    about: "run everything in the caller's network namespace; only with `none`",
    initial: false,
  }),
});

const componentOptions = z.object({
  path: option(z.string(), { about: "the program", initial: "<installed>", isPath: true }),
});

const netmonOptions = z.object({
  enable_netmon: option(z.boolean(), { about: "follow changes in a container's network namespace", initial: true }),
});

const factoryOptions = z.object({
  enable_template: option(z.boolean(), {
    about: "clone VMs from the template that `kata-runtime factory init` makes; without one they are booted",
    initial: false,
  }),
  template_path: option(z.string(), {
    about: "where templates are; each takes what a booted guest has in use, about 85 MiB",
    initial: DEFAULT_TEMPLATE_PATH,
    isPath: true,
  }),
  vm_cache_number: option(z.int().check(z.minimum(0), z.maximum(100)), {
    about: "how many VMs wait, ready to be used, from `kata-runtime factory init` on; each holds its memory meanwhile",
    initial: 0,
  }),
});

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

/** The options of each section, in the order in which they are documented, by its header in the file. */
export const SECTIONS: Readonly<Record<string, Readonly<Record<string, z.ZodMiniType>>>> = {
  "hypervisor.qemu": hypervisorOptions.shape,
  "proxy.kata": componentOptions.shape,
  "shim.kata": componentOptions.shape,
  runtime: runtimeOptions.shape,
  netmon: netmonOptions.shape,
  factory: factoryOptions.shape,
};

/** Takes what it knows out of a file's tables, checked. */
export const optionsSchema: z.ZodMiniType<Options> = z.object({
  hypervisor: z.optional(z.object({ qemu: z.optional(hypervisorOptions) })),
  proxy: z.optional(z.object({ kata: z.optional(componentOptions) })),
  shim: z.optional(z.object({ kata: z.optional(componentOptions) })),
  runtime: z.optional(runtimeOptions),
  netmon: z.optional(netmonOptions),
  factory: z.optional(factoryOptions),
});
