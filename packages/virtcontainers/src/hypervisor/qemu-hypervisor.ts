import { existsSync } from "node:fs";
import { totalmem } from "node:os";
import type { VmSpec } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import type { BootRequest, FoundVm, Hypervisor, Vm, VmState } from "../ports/hypervisor.ts";
import { UndoStack } from "../undo.ts";
import { findVms } from "./find-vms.ts";
import { acceleratorFor, maxVcpusOf, type QemuConfig } from "./qemu-config.ts";
import { QemuVm } from "./qemu-vm.ts";
import { createVmDirectory, removeVmDirectory, type VmDirectory } from "./vm-directory.ts";
import { readProcesses } from "./vm-owner.ts";
import { startWatchman } from "./watchman-start.ts";

/** The tag under which the guest mounts the shared tree, and where: Kata's. */
const SHARE_TAG = "kataShared";

/** Memory of QEMU itself (under TCG with the code that it translates), virtiofsd, kata-proxy and shims, with room. */
const HELPERS_MIB = 512;

export interface QemuHypervisorOptions {
  readonly config: QemuConfig;
  /** kata-proxy; without it the watchman lives in this process, and the VMs end with it. */
  readonly proxyPath?: string;
}

/** QEMU behind the Hypervisor port. */
export class QemuHypervisor implements Hypervisor {
  readonly #options: QemuHypervisorOptions;

  constructor(options: QemuHypervisorOptions) {
    this.#options = options;
  }

  get overheadMiB(): number {
    return this.#options.config.memoryMiB + HELPERS_MIB;
  }

  async boot(request: BootRequest): Promise<Vm> {
    const { config } = this.#options;
    requireFiles(config);
    const accelerator = await acceleratorFor(config);
    await using undo = new UndoStack();
    const directory = await createVmDirectory(config.vmRoot, request);
    undo.push(() => removeVmDirectory(directory.path));
    const spec = vmSpec(config, accelerator, directory, request);
    const watchman = await startWatchman(spec, this.#options.proxyPath, request);
    undo.push(() => watchman.stop());
    const state = await vmState(directory, accelerator);
    undo.keep();
    return new QemuVm(state, config, watchman);
  }

  found(): Promise<FoundVm[]> {
    return findVms(this.#options.config.vmRoot);
  }

  reopen(state: VmState): Vm {
    return new QemuVm(state, this.#options.config, undefined);
  }
}

function vmSpec(config: QemuConfig, accelerator: "kvm" | "tcg", directory: VmDirectory, request: BootRequest): VmSpec {
  const { sandboxId, resolver, forwardLoopback = false } = request;
  const virtioFs = config.sharedFs === "virtio-fs";
  return {
    dir: directory.path,
    sharedDir: directory.shared,
    proxySocket: directory.proxySocket,
    ...(resolver === undefined ? {} : { resolver }),
    forwardLoopback,
    ...(config.onNetworkChange === undefined ? {} : { onNetworkChange: [...config.onNetworkChange, sandboxId] }),
    vm: {
      name: `sandbox-${sandboxId}`,
      qemuPath: config.qemuPath,
      accelerator,
      vcpus: config.vcpus,
      maxVcpus: maxVcpusOf(config, accelerator),
      memoryMiB: config.memoryMiB,
      maxMemoryMiB: config.memoryMiB + Math.trunc(totalmem() / 1024 ** 2),
      kernelPath: config.kernelPath,
      ...(config.initrdPath === undefined ? {} : { initrdPath: config.initrdPath }),
      imagePath: config.imagePath,
      kernelParams: config.kernelParams,
      qmpSocket: directory.qmpSocket,
      agentSocket: directory.agentSocket,
      rootPorts: config.rootPorts,
      ...(virtioFs ? {} : { share9p: { path: directory.shared, tag: SHARE_TAG } }),
    },
    ...(virtioFs
      ? {
          virtiofsd: {
            path: config.virtiofsdPath,
            socket: directory.virtiofsSocket,
            source: directory.shared,
            cache: config.virtioFsCache,
          },
        }
      : {}),
  };
}

/** The watchman knows who its processes are, even where one has ended already. */
async function vmState(directory: VmDirectory, accelerator: string): Promise<VmState> {
  const noted = await readProcesses(directory.path);
  if (noted?.qemu === undefined) {
    throw new KataError("KATA_PROXY", `the VM's watchman has not noted its processes in ${directory.path}`);
  }
  const { processes, qemu } = noted;
  return { dir: directory.path, agentUrl: `unix://${directory.proxySocket}`, processes, qemu, accelerator };
}

// QEMU's own message for a missing file comes after a boot was attempted, and names no remedy.
function requireFiles(config: QemuConfig): void {
  const wanted: readonly (readonly [string, string, string])[] = [
    ["QEMU", config.qemuPath, "install the package qemu-system-x86"],
    ["guest kernel", config.kernelPath, "run `npm start` once, or set `kernel` in configuration.toml"],
    ["guest image", config.imagePath, "run `npm start` once, or set `image` in configuration.toml"],
    ...(config.sharedFs === "virtio-fs"
      ? ([["virtiofsd", config.virtiofsdPath, "install the package qemu-system-common"]] as const)
      : []),
  ];
  for (const [what, path, hint] of wanted) {
    if (!existsSync(path)) throw new KataError("KATA_CONFIG", `${what} not found at ${path}`, { hint });
  }
}
