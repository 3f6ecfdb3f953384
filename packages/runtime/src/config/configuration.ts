import { type GuestSetup, KataError, type QemuConfig, type RateLimits } from "@kata-ts/virtcontainers";
import { checkTogether } from "./check-together.ts";
import { isDebug } from "./debug.ts";
import { DEFAULT_TEMPLATE_PATH, type Installation } from "./installation.ts";
import type { Options } from "./options.ts";
import { qemuConfigOf } from "./qemu-options.ts";
import { vsockWarnings } from "./vsock.ts";

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
  /** What guests do before their first container. */
  readonly guest: GuestSetup;
  /** False: linux.seccomp of config.json is left out. */
  readonly useSeccomp: boolean;
  readonly factory: FactoryConfiguration;
  /** What this host cannot do of what was asked for, and does in another way. */
  readonly warnings: readonly string[];
}

export interface FactoryConfiguration {
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
  /** What guests may call. */
  readonly egress: readonly string[];
  /** Whether changes in a container's namespace are followed. */
  readonly follow: boolean;
}

const BOOT_SECONDS = 60;

/** What the options ask for, with the defaults of an installation for what they do not say. @throws KataError */
export function configurationOf(given: Options, installation: Installation): Configuration {
  const qemu = given.hypervisor?.qemu ?? {};
  const agentDebug = given.agent?.kata?.enable_debug === true;
  checkTogether(given);
  return {
    qemu: qemuConfigOf(qemu, { agent: agentDebug }, installation),
    proxyPath: nonEmpty(given.proxy?.kata?.path) ?? installation.proxy,
    shimPath: nonEmpty(given.shim?.kata?.path) ?? installation.shim,
    network: networkConfiguration(given),
    useBlockDevices: qemu.disable_block_device_use === false,
    newNetworkNamespace: given.runtime?.disable_new_netns !== true,
    guest: guestSetup(given),
    useSeccomp: given.runtime?.disable_guest_seccomp !== true,
    factory: {
      enabled: given.factory?.enable_template ?? false,
      path: nonEmpty(given.factory?.template_path) ?? DEFAULT_TEMPLATE_PATH,
      cacheSize: given.factory?.vm_cache_number ?? 0,
    },
    warnings: vsockWarnings(qemu),
    debug: isDebug(given),
    bootDeadlineMs: (given.runtime?.boot_timeout ?? BOOT_SECONDS) * 1000,
  };
}

/** Kata's "": as if the option was not there. */
function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function guestSetup({ hypervisor, agent }: Options): GuestSetup {
  const modules = (agent?.kata?.kernel_modules ?? []).map((line) => line.trim().split(/\s+/));
  const kernelModules = modules
    .map(([name = "", ...parameters]) => ({ name, parameters }))
    .filter(({ name }) => name !== "");
  const hookPath = hypervisor?.qemu?.guest_hook_path ?? "";
  return { ...(kernelModules.length === 0 ? {} : { kernelModules }), ...(hookPath === "" ? {} : { hookPath }) };
}

function networkConfiguration({ hypervisor, runtime, netmon }: Options): NetworkConfiguration {
  const qemu = hypervisor?.qemu ?? {};
  const { internetworking_model: model = "default", disable_new_netns: inHost = false, egress = [] } = runtime ?? {};
  if (inHost && model !== "none") {
    throw new KataError("KATA_CONFIG", "disable_new_netns works only with internetworking_model none");
  }
  return {
    model: model === "default" ? "tcfilter" : model,
    vhost: qemu.disable_vhost_net !== true,
    limits: { receive: qemu.rx_rate_limiter_max_rate ?? 0, transmit: qemu.tx_rate_limiter_max_rate ?? 0 },
    egress: egress.length === 0 ? ["all"] : egress,
    follow: netmon?.enable_netmon ?? true,
  };
}
