import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { defaultQemuConfig, KataError, type QemuConfig, type RateLimits } from "@kata-ts/virtcontainers";
import { DEFAULT_TEMPLATE_PATH, type Installation } from "./installation.ts";
import type { HypervisorOptions, Options } from "./options.ts";

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
  readonly factory: FactoryConfiguration;
}

interface FactoryConfiguration {
  /** Whether VMs are cloned from templates. */
  readonly enabled: boolean;
  /** Where the templates are. */
  readonly path: string;
  /** How many VMs wait for the next containers; with 0 there is no cache. */
  readonly cacheSize: number;
}

interface NetworkConfiguration {
  readonly model: "tcfilter" | "macvtap" | "none";
  readonly vhost: boolean;
  readonly limits: RateLimits;
  /** Whether changes in a container's namespace are followed. */
  readonly follow: boolean;
}

const BOOT_SECONDS = 60;

/** What the options ask for, with the defaults of an installation for what they do not say. @throws KataError */
export function configurationOf(given: Options, installation: Installation): Configuration {
  const qemu = given.hypervisor?.qemu ?? {};
  return {
    qemu: {
      ...defaultQemuConfig,
      ...guestAssets(qemu, installation),
      ...defined({
        qemuPath: qemu.path,
        // Kata's "": as if nothing was said.
        firmwarePath: qemu.firmware === "" ? undefined : qemu.firmware,
        imageOnDisk: qemu.disable_image_nvdimm,
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
    factory: {
      enabled: given.factory?.enable_template ?? false,
      path: given.factory?.template_path ?? DEFAULT_TEMPLATE_PATH,
      cacheSize: given.factory?.vm_cache_number ?? 0,
    },
    debug: given.runtime?.enable_debug ?? false,
    bootDeadlineMs: (given.runtime?.boot_timeout ?? BOOT_SECONDS) * 1000,
  };
}

function networkConfiguration({ hypervisor, runtime, netmon }: Options): NetworkConfiguration {
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

/** An initrd belongs to its kernel: the installed one is used with the installed kernel only. */
function guestAssets(
  qemu: HypervisorOptions,
  { share }: Installation,
): Pick<QemuConfig, "kernelPath" | "imagePath" | "initrdPath"> {
  const kernelPath = qemu.kernel ?? join(share, "vmlinux");
  const beside = join(dirname(kernelPath), "initrd");
  const initrdPath = qemu.initrd ?? (qemu.kernel === undefined && existsSync(beside) ? beside : undefined);
  return { kernelPath, imagePath: qemu.image ?? join(share, "rootfs.ext4"), ...defined({ initrdPath }) };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
