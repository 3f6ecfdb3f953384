import { existsSync, readFileSync } from "node:fs";
import { cpus, machine, release } from "node:os";
import { COMMIT, findConfiguration, OCI_VERSION, openRuntime, VERSION } from "@kata-ts/runtime";
import { inspectHost } from "@kata-ts/virtcontainers";
import { stringify } from "smol-toml";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Context, Verb } from "../context.ts";
import { print } from "../output/print.ts";

export const manual: Manual = {
  operands: "",
  options: { json: { type: "boolean", about: "as JSON instead of TOML" } },
  notes: ["For reports of faults: it says what there is, and holds no secrets."],
};

/** What a VM has by default. */
const MEMORY_SLOTS = 24;

/** The version of this document's shape, which is Kata's, without what is not there. */
const META_VERSION = "1.0.26";

/** Kata's `kata-env`: what is configured, and what it works with. */
export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  if (words.length > 0) throw new UsageError(`"env" takes no arguments: ${words.join(" ")}`);
  const document = await describeEnvironment(context);
  print(options.flag("json") ? `${JSON.stringify(document, null, 2)}\n` : `${stringify(document)}\n`);
  return 0;
};

export async function describeEnvironment(context: Context): Promise<object> {
  const configuration = await (await openRuntime(context)).configuration();
  const { qemu, network, proxyPath, shimPath, debug, newNetworkNamespace } = configuration;
  const { prerequisites, accelerator, qemuVersion } = await inspectHost(qemu);
  const { runtime, share } = context.installation;
  const component = (type: string, path: string): object => ({
    Type: type,
    Version: versionInfo(),
    Path: path,
    Debug: debug,
  });
  return {
    Meta: { Version: META_VERSION },
    Runtime: {
      Debug: debug,
      Trace: false,
      DisableGuestSeccomp: !configuration.useSeccomp,
      SandboxCgroupOnly: true,
      Experimental: [],
      DisableNewNetNs: !newNetworkNamespace,
      InternetworkingModel: network.model,
      Path: runtime,
      Version: { Semver: VERSION, Commit: COMMIT, OCI: OCI_VERSION, Version: versionInfo() },
      Config: { Path: findConfiguration(context.globals.config, context.installation) ?? "" },
    },
    Hypervisor: {
      MachineType: qemu.machine?.type ?? "q35",
      Version: qemuVersion ?? "unknown",
      Path: qemu.qemuPath,
      Accelerator: accelerator?.accelerator ?? "unknown",
      AcceleratorReason: accelerator?.reason ?? "nothing could be tried",
      SharedFS: qemu.sharedFs,
      VirtioFSDaemon: qemu.virtiofsdPath,
      Msize9p: qemu.msize9p,
      PCIeRootPort: qemu.rootPorts,
      BlockDeviceDriver: "virtio-blk",
      EntropySource: qemu.machine?.entropySource ?? "/dev/urandom",
      MemorySlots: qemu.memory?.slots ?? MEMORY_SLOTS,
      HotplugVFIOOnRootBus: true,
      Debug: debug,
      UseVSock: qemu.vsock !== undefined,
      DefaultVCPUs: qemu.vcpus,
      DefaultMemory: qemu.memoryMiB,
    },
    Image: { Path: qemu.imagePath },
    Kernel: { Path: qemu.kernelPath, Parameters: qemu.kernelParams.join(" ") },
    Initrd: { Path: qemu.initrdPath ?? "" },
    Proxy: component("kataProxy", proxyPath),
    Shim: component("kataShim", shimPath),
    Agent: {
      ...{ Type: "kata", Version: VERSION, Share: share, Debug: qemu.kernelParams.includes("agent.log=debug") },
      ...{ Trace: false, TraceMode: "", TraceType: "" },
    },
    Host: {
      Kernel: release(),
      Architecture: machine(),
      VMContainerCapable: prerequisites.every(({ problem, optional }) => problem === undefined || optional),
      Distro: distribution(),
      CPU: { Vendor: cpuVendor(), Model: cpus()[0]?.model ?? "unknown", Count: cpus().length },
      SupportVSocks: existsSync("/dev/vhost-vsock"),
    },
    Netmon: { Enable: network.follow, Version: versionInfo(), Path: proxyPath, Debug: debug },
  };
}

/** Kata's shape of a version. */
function versionInfo(): object {
  const [Major, Minor, Patch] = VERSION.split(".").map((part) => Number.parseInt(part, 10));
  return { Semver: VERSION, Major, Minor, Patch, Commit: COMMIT };
}

function cpuVendor(): string {
  return /^vendor_id\s*: (.*)$/m.exec(readFileSync("/proc/cpuinfo", "latin1"))?.[1] ?? "unknown";
}

function distribution(): { readonly Name: string; readonly Version: string } {
  let text = "";
  try {
    text = readFileSync("/etc/os-release", "utf8");
  } catch {
    text = ""; // Then its name is not known.
  }
  const field = (name: string): string => new RegExp(`^${name}="?([^"\n]*)`, "m").exec(text)?.[1] ?? "unknown";
  return { Name: field("NAME"), Version: field("VERSION_ID") };
}
