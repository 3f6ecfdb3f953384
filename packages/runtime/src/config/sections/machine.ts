import { DEFAULT_CONFINEMENT, defaultQemuConfig } from "@kata-ts/virtcontainers";
import * as z from "zod/mini";
import { listed } from "../listed.ts";
import { option, type ShapeOf } from "../option.ts";
import { userRangeOf } from "../user-range.ts";

/** What the guest's machine is, but for memory and storage. */
export interface MachineOptions {
  readonly path?: string | undefined;
  readonly valid_hypervisor_paths?: readonly string[] | undefined;
  readonly kernel?: string | undefined;
  readonly initrd?: string | undefined;
  readonly image?: string | undefined;
  readonly firmware?: string | undefined;
  readonly valid_guest_paths?: readonly string[] | undefined;
  readonly disable_image_nvdimm?: boolean | undefined;
  readonly accel?: "auto" | "kvm" | "tcg" | undefined;
  readonly machine_type?: string | undefined;
  readonly machine_accelerators?: string | undefined;
  readonly cpu_features?: string | undefined;
  readonly kernel_params?: string | undefined;
  readonly default_vcpus?: number | undefined;
  readonly default_maxvcpus?: number | undefined;
  readonly pcie_root_port?: number | undefined;
  readonly enable_iommu?: boolean | undefined;
  readonly entropy_source?: string | undefined;
  readonly confine_qemu?: boolean | undefined;
  readonly vm_users?: string | undefined;
  readonly guest_hook_path?: string | undefined;
  readonly enable_debug?: boolean | undefined;
}

const MACHINE_TYPES = /^(|pc|q35|pc-q35-[\w.]+|microvm)$/;
/** No value of these names a file, or changes what the other options decide. */
const MACHINE_PROPERTY =
  /^(?!(?:kernel|initrd|dtb|dumpdtb|firmware|append|accel|type|smp|memory|pflash)\b)[a-z0-9-]+(=[\w.-]+)?$/;
const CPU_FEATURE = /^([+-][\w.-]+|[\w.-]+=[\w.-]+)$/;

function listOf(pattern: RegExp, what: string): z.ZodMiniType<string> {
  const isRight = (text: string): boolean => listed(text).every((item) => pattern.test(item));
  return z.string().check(z.refine(isRight, what));
}

const { first, last } = DEFAULT_CONFINEMENT.users;
const USUAL_USERS = `${String(first)}-${String(last)}`;

function isUserRange(text: string): boolean {
  return text === "" || userRangeOf(text) !== undefined;
}

export const machineOptions: ShapeOf<MachineOptions> = {
  path: option(z.string(), {
    about: "QEMU",
    initial: "<found: the distribution's>",
    hostOnly: true,
    validPaths: "valid_hypervisor_paths",
  }),
  valid_hypervisor_paths: option(z.array(z.string()), {
    about: "globs of what an annotation may set `path` to",
    initial: [],
    hostOnly: true,
  }),
  kernel: option(z.string(), {
    about: "guest kernel: uncompressed with PVH, or a bzImage",
    initial: "<installed>",
    hostOnly: true,
    validPaths: "valid_guest_paths",
  }),
  initrd: option(z.string(), {
    about: "initial RAM disk; not used with a `kernel` of your own unless given",
    initial: "<installed beside the kernel, if there is one>",
    hostOnly: true,
    validPaths: "valid_guest_paths",
  }),
  image: option(z.string(), {
    about: "guest root file system, ext4, attached read-only",
    initial: "<installed>",
    hostOnly: true,
    validPaths: "valid_guest_paths",
  }),
  firmware: option(z.string(), {
    about:
      "the machine's firmware, which starts the kernel; qboot is the one of that name that comes with QEMU. With another one than QEMU's own the kernel does not learn by itself that its machine was restored",
    initial: "<QEMU's own; qboot under TCG, of machines that are not to be saved>",
    hostOnly: true,
    validPaths: "valid_guest_paths",
  }),
  valid_guest_paths: option(z.array(z.string()), {
    about: "globs of what an annotation may set `kernel`, `initrd`, `image` and `firmware` to",
    initial: [],
    hostOnly: true,
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
  machine_type: option(
    z.string().check(z.regex(MACHINE_TYPES, "only q35 machines, such as q35 or pc-q35-7.2, and microvm are supported")),
    {
      about:
        "a q35 machine: the newest, or a version of it such as `pc-q35-7.2`. `pc`, Kata 1.x's default, is taken as `q35`. Or `microvm`, which has no parts of a PC; it takes no memory and no processors while it runs",
      initial: "q35",
    },
  ),
  machine_accelerators: option(
    listOf(MACHINE_PROPERTY, "must be properties of QEMU's machine such as hpet=off or nosmm; none that names a file"),
    {
      about:
        "properties of QEMU's machine, with commas between: `hpet=off`, or `nosmm` for `smm=off`. QEMU refuses what it does not know",
      initial: "",
    },
  ),
  cpu_features: option(listOf(CPU_FEATURE, "must be features of QEMU's processor such as pmu=off or +x2apic"), {
    about: "features of the guest's processor, with commas between, such as `pmu=off`",
    initial: "",
  }),
  kernel_params: option(z.string(), { about: "appended to the guest kernel's command line", initial: "" }),
  default_vcpus: option(z.int(), {
    about: "at boot; as many as the host has where it is negative or more than that, one where it is 0",
    initial: defaultQemuConfig.vcpus,
  }),
  default_maxvcpus: option(z.int().check(z.minimum(0)), {
    about:
      "how many the limits of its containers, or an annotation, may make it, no more than the host has or 240; 0: as many as the host has, but under TCG limits add none",
    initial: 0,
  }),
  pcie_root_port: option(z.int().check(z.minimum(0), z.maximum(16)), {
    about:
      "ports to plug devices into, up to 16: one is the shared tree's, the others are for network cards and disks. With 0 or 1, which Kata 1.x means for VFIO devices alone, there are 5",
    initial: defaultQemuConfig.rootPorts,
  }),
  enable_iommu: option(z.boolean(), {
    about: "an Intel IOMMU in the guest, so that it can hand devices on by VFIO; its kernel needs the driver",
    initial: false,
  }),
  entropy_source: option(z.string(), {
    about: "what the guest's random numbers come from",
    initial: "/dev/urandom",
    hostOnly: true,
  }),
  confine_qemu: option(z.boolean(), {
    about:
      "each QEMU has a user of its own (see `vm_users`), no capability, and a root directory with nothing of the host's but what it needs, read-only; its kata-shims have another user, and no capability; its kata-proxy has a third one, no file, and one capability, to end its VM. `false`: QEMU is root without capabilities, among the host's files, and kata-shims and kata-proxy are root; for hosts that refuse it. Over `virtio-9p` QEMU serves the files itself, and it is always so",
    initial: true,
    hostOnly: true,
  }),
  vm_users: option(z.string().check(z.refine(isUserRange, "not a range of user ids such as 1900000000-1900065535")), {
    about:
      "user ids, first and last, that nothing else on the host has: each running VM has three of them, for QEMU, its kata-shims and its kata-proxy, as their groups, too",
    initial: USUAL_USERS,
    hostOnly: true,
  }),
  guest_hook_path: option(z.string(), {
    about:
      "a directory of the guest's image with programs in `prestart`, `poststart` and `poststop`, run in the guest for each container",
    initial: "",
  }),
  enable_debug: option(z.boolean(), {
    about: "the guest's kernel says all it can, for `kata-runtime logs`; turns on `enable_debug` of `[runtime]`",
    initial: false,
  }),
};
