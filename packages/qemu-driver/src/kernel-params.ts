import { existsSync, readFileSync } from "node:fs";
import { isMicrovm } from "./microvm.ts";
import type { VmConfig } from "./vm-config.ts";

const ROOT_ON_DISK: readonly string[] = ["root=/dev/vda"];
const ROOT_IN_MEMORY: readonly string[] = ["root=/dev/pmem0", "rootflags=dax"];

const COMMON: readonly string[] = [
  "rootfstype=ext4",
  "ro",
  "init=/sbin/init",
  "console=ttyS0",
  "quiet",
  "loglevel=5", // warnings are shown: a guest that is unwell must say so
  "panic=-1", // with -no-reboot a panic ends QEMU at once
  "reboot=k",
  "random.trust_cpu=on", // otherwise Node waits a second for entropy
  "tsc=reliable",
  "no_timer_check",
  "rcupdate.rcu_expedited=1",
  "cryptomgr.notests",
  "i8042.direct=1",
  "i8042.dumbkbd=1",
  "i8042.nopnp=1",
  "i8042.noaux=1",
  "swiotlb=1024", // 2 MiB of bounce buffers: the usual 64 would be touched in every guest, for devices that it has not
  "net.ifnames=0",
  "loop.max_loop=0", // none before one is asked for: eight take a twentieth of a second
  "pty.legacy_count=0", // BSD's terminals, long out of use, cost a twentieth of a second
  "initcall_blacklist=jent_mod_init", // a source of random numbers that tests itself for longer than that; there are others
  "dummy.numdummies=0", // built-in drivers would make interfaces that no configuration asks for
  "ifb.numifbs=0",
];

/**
 * A PC is reset by its keyboard controller. This machine has none: a fault that cannot be handled resets it. Its tables of ACPI
 * name no way to PCI Express's configuration before the kernel asks for control of hot-plugged ports, which it therefore does not ask
 * for: it has to take it.
 */
const MICROVM: readonly string[] = ["reboot=t", "pcie_ports=native"];

/**
 * Under TCG code that is made at run time has to be translated anew: a kernel that rewrites itself for one processor takes
 * a fifth of a second for it.
 *
 * Each page is written to before it is used for something else (init_on_alloc): QEMU keeps translated code until the guest
 * writes where it was, and does not see what virtiofsd writes there. docs/adr/0022-pages-are-cleared-under-emulation.md
 */
const EMULATED: readonly string[] = ["noreplace-smp", "init_on_alloc=1"];

/** The guest's own devices bypass its IOMMU: it is there for what a container hands on. */
const IOMMU: readonly string[] = ["intel_iommu=on", "iommu=pt"];

/** As much of what comes later as the kernel can do without for itself is for what can be moved away, and so be given back. */
const RESIZABLE: readonly string[] = ["memory_hotplug.online_policy=auto-movable"];

/** The guest kernel's command line. Later parameters win. */
export function kernelCommandLine(
  config: Pick<
    VmConfig,
    "accelerator" | "kernelParams" | "vcpus" | "maxVcpus" | "imagePmemBytes" | "machine" | "memory"
  >,
): string {
  const tsc = config.accelerator === "tcg" ? hostTscKhz() : undefined;
  const clock = tsc === undefined ? [] : [`tsc_early_khz=${String(tsc)}`];
  const emulated = config.accelerator === "tcg" ? [...EMULATED, ...clock, ...emulatedProcessors(config)] : [];
  const root = config.imagePmemBytes === undefined ? ROOT_ON_DISK : ROOT_IN_MEMORY;
  const iommu = config.machine?.iommu === true ? IOMMU : [];
  const memory = config.memory?.resizable === true ? RESIZABLE : [];
  const machine = isMicrovm(config) ? MICROVM : [];
  return [...root, ...COMMON, ...machine, ...emulated, ...iommu, ...memory, ...config.kernelParams].join(" ");
}

/** Those that may come sleep; a machine with one says that it could have two, and never does: see qemuArgv. */
function emulatedProcessors({ vcpus, maxVcpus = vcpus }: Pick<VmConfig, "vcpus" | "maxVcpus">): string[] {
  if (maxVcpus > vcpus) return [`maxcpus=${String(vcpus)}`];
  return vcpus === 1 ? ["possible_cpus=1"] : [];
}

/**
 * TCG hands the host's time stamp counter through, and measuring its frequency costs the guest a fifth of its boot.
 * Undefined where the figure in /proc/cpuinfo is not the counter's frequency, because the CPU scales.
 */
function hostTscKhz(): number | undefined {
  if (existsSync("/sys/devices/system/cpu/cpu0/cpufreq")) return undefined;
  const megahertz = /^cpu MHz\s*: ([\d.]+)$/m.exec(readFileSync("/proc/cpuinfo", "latin1"))?.[1];
  return megahertz === undefined ? undefined : Math.round(Number(megahertz) * 1000);
}
