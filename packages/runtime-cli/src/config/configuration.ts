import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { defaultQemuConfig, KataError, type QemuConfig, type RateLimits } from "@kata-ts/virtcontainers";
import { parse } from "smol-toml";
import * as z from "zod";
import type { Installation } from "./installation.ts";

/** configuration.toml: Kata's sections and option names. docs/configuration.md describes each. */
const qemuSection = z.object({
  path: z.string().optional(),
  kernel: z.string().optional(),
  initrd: z.string().optional(),
  image: z.string().optional(),
  accel: z.enum(["auto", "kvm", "tcg"]).optional(),
  kernel_params: z.string().optional(),
  default_vcpus: z.number().int().min(1).max(8).optional(),
  default_maxvcpus: z.number().int().min(0).max(8).optional(),
  default_memory: z.number().int().min(128).optional(),
  shared_fs: z.enum(["virtio-fs", "virtio-9p"]).optional(),
  virtio_fs_daemon: z.string().optional(),
  virtio_fs_cache: z.enum(["none", "auto", "always"]).optional(),
  disable_block_device_use: z.boolean().optional(),
  msize_9p: z.number().int().min(4096).optional(),
  pcie_root_port: z.number().int().min(2).max(14).optional(),
  disable_vhost_net: z.boolean().optional(),
  rx_rate_limiter_max_rate: z.number().int().min(0).optional(),
  tx_rate_limiter_max_rate: z.number().int().min(0).optional(),
});

const componentSection = z.object({ path: z.string().optional() });

const runtimeSection = z.object({
  enable_debug: z.boolean().optional(),
  boot_timeout: z.number().min(1).optional(),
  internetworking_model: z.enum(["tcfilter", "macvtap", "none", "default"]).optional(),
  disable_new_netns: z.boolean().optional(),
});

const schema = z.object({
  hypervisor: z.object({ qemu: qemuSection.optional() }).optional(),
  proxy: z.object({ kata: componentSection.optional() }).optional(),
  shim: z.object({ kata: componentSection.optional() }).optional(),
  netmon: z.object({ enable_netmon: z.boolean().optional() }).optional(),
  runtime: runtimeSection.optional(),
});

export interface Configuration {
  readonly qemu: QemuConfig;
  readonly proxyPath: string;
  readonly shimPath: string;
  readonly debug: boolean;
  readonly bootDeadlineMs: number;
  readonly network: NetworkConfiguration;
  /** Whether guests get the block devices that root file systems are mounted from. */
  readonly useBlockDevices: boolean;
  /** False: everything runs in the caller's network namespace. */
  readonly newNetworkNamespace: boolean;
}

interface NetworkConfiguration {
  readonly model: "tcfilter" | "macvtap" | "none";
  readonly vhost: boolean;
  readonly limits: RateLimits;
  /** Whether changes in a container's namespace are followed. */
  readonly follow: boolean;
}

const BOOT_SECONDS = 60;

/** @throws KataError KATA_CONFIG naming the file and the option */
export function loadConfiguration(file: string | undefined, installation: Installation): Configuration {
  const given = file === undefined ? {} : parseFile(file);
  const qemu = given.hypervisor?.qemu ?? {};
  return {
    qemu: {
      ...defaultQemuConfig,
      ...guestAssets(qemu, installation),
      ...defined({
        qemuPath: qemu.path,
        accelerator: qemu.accel,
        kernelParams: qemu.kernel_params?.split(/\s+/).filter(Boolean),
        vcpus: qemu.default_vcpus,
        // Kata's 0: as many as the host has.
        maxVcpus: qemu.default_maxvcpus === 0 ? undefined : qemu.default_maxvcpus,
        memoryMiB: qemu.default_memory,
        sharedFs: qemu.shared_fs,
        virtiofsdPath: qemu.virtio_fs_daemon,
        virtioFsCache: qemu.virtio_fs_cache,
        msize9p: qemu.msize_9p,
        rootPorts: qemu.pcie_root_port,
      }),
    },
    proxyPath: given.proxy?.kata?.path ?? installation.proxy,
    shimPath: given.shim?.kata?.path ?? installation.shim,
    network: networkConfiguration(given),
    useBlockDevices: qemu.disable_block_device_use === false,
    newNetworkNamespace: given.runtime?.disable_new_netns !== true,
    debug: given.runtime?.enable_debug ?? false,
    bootDeadlineMs: (given.runtime?.boot_timeout ?? BOOT_SECONDS) * 1000,
  };
}

function networkConfiguration({ hypervisor, runtime, netmon }: z.infer<typeof schema>): NetworkConfiguration {
  const qemu = hypervisor?.qemu ?? {};
  const { internetworking_model: model = "default", disable_new_netns: inHost = false } = runtime ?? {};
  if (inHost && model !== "none") {
    throw new KataError("KATA_CONFIG", "disable_new_netns works only with internetworking_model none");
  }
  return {
    model: model === "default" ? "tcfilter" : model,
    vhost: qemu.disable_vhost_net !== true,
    limits: { receive: qemu.rx_rate_limiter_max_rate ?? 0, transmit: qemu.tx_rate_limiter_max_rate ?? 0 },
    follow: netmon?.enable_netmon ?? true,
  };
}

type QemuSection = z.infer<typeof qemuSection>;

/** An initrd belongs to its kernel: the installed one is used with the installed kernel only. */
function guestAssets(
  qemu: QemuSection,
  { share }: Installation,
): Pick<QemuConfig, "kernelPath" | "imagePath" | "initrdPath"> {
  const kernelPath = qemu.kernel ?? join(share, "vmlinux");
  const beside = join(dirname(kernelPath), "initrd");
  const initrdPath = qemu.initrd ?? (qemu.kernel === undefined && existsSync(beside) ? beside : undefined);
  return { kernelPath, imagePath: qemu.image ?? join(share, "rootfs.ext4"), ...defined({ initrdPath }) };
}

function parseFile(file: string): z.infer<typeof schema> {
  try {
    return schema.parse(parse(readFileSync(file, "utf8")));
  } catch (error) {
    const reason =
      error instanceof z.ZodError ? z.prettifyError(error).replaceAll("\n", " ") : (error as Error).message;
    throw new KataError("KATA_CONFIG", `configuration ${file}: ${reason}`, {
      cause: error,
      hint: "see docs/configuration.md",
    });
  }
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
