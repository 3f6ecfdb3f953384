import type { MachineDescription, MachineLauncher } from "@kata-ts/proxy";
import type { QemuDescription } from "@kata-ts/qemu-driver";
import type { VmCapabilities } from "../ports/capabilities.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { Fingerprint } from "../ports/saved-vm.ts";
import type {
  Machine,
  MachineIdentity,
  MachinePlace,
  SavableMachine,
  SharedTreeSettings,
  Vmm,
  VmSettings,
} from "../ports/vmm.ts";
import { capabilitiesOf, isSavable } from "./capabilities.ts";
import { machineConfig, machineFiles, withoutNames } from "./machine-config.ts";
import { acceleratorFor, type QemuConfig } from "./qemu-config.ts";
import { requireFiles } from "./required-files.ts";

/** QEMU behind the port of a virtual machine monitor. */
export class QemuVmm implements Vmm {
  readonly settings: VmSettings;
  readonly #config: QemuConfig;

  constructor(config: QemuConfig) {
    this.#config = config;
    this.settings = settingsOf(config);
  }

  get capabilities(): VmCapabilities {
    return capabilitiesOf(this.#config);
  }

  get size(): Vmm["size"] {
    const { vcpus, memoryMiB } = this.#config;
    return { vcpus, memoryMiB };
  }

  requireFiles(): void {
    requireFiles(this.#config);
  }

  async requirePrograms(): Promise<void> {
    await this.#fileMigration();
  }

  accelerator(): Promise<string> {
    return acceleratorFor(this.#config);
  }

  describe(place: MachinePlace, accelerator: string): MachineDescription {
    const config = this.#describe(place, accelerator);
    const { qemuPath, kernelPath, imagePath, serialPort } = config.vm;
    return {
      monitor: "qemu",
      files: { monitor: qemuPath, kernel: kernelPath, image: imagePath },
      ...(serialPort === undefined ? {} : { serialSocket: serialPort.socket }),
      config,
    };
  }

  async launcher(): Promise<MachineLauncher> {
    const { launchQemu } = await import("./launch-qemu.ts");
    return launchQemu;
  }

  identify(accelerator: string): MachineIdentity {
    const vm = withoutNames(machineConfig(this.#config, accelerator));
    return {
      machine: vm,
      files: machineFiles(vm),
      start: this.#config.confinement === false ? "root" : "own user",
    };
  }

  async fingerprint(accelerator: string): Promise<Fingerprint> {
    const { qemuFingerprint } = await import("./fingerprint.ts");
    const daemon = await this.#fileMigration();
    const machine = await qemuFingerprint(withoutNames(machineConfig(this.#config, accelerator)));
    return daemon === undefined ? machine : { ...machine, virtiofsd: daemon };
  }

  async machine(state: VmState): Promise<Machine> {
    const { QemuMachine } = await import("./qemu-machine.ts");
    return new QemuMachine(state, this.#config);
  }

  async startToSave(place: MachinePlace, accelerator: string): Promise<SavableMachine> {
    const { SavedQemu } = await import("./saved-qemu.ts");
    return SavedQemu.start(this.#describe(place, accelerator), place.directory.path);
  }

  /** The version of a daemon that a machine is to be saved with. */
  async #fileMigration(): Promise<string | undefined> {
    if (this.#config.sharedFs !== "virtio-fs" || !isSavable(this.#config)) return undefined;
    const { requireFileMigration } = await import("./require-file-migration.ts");
    return requireFileMigration(this.#config);
  }

  #describe(place: MachinePlace, accelerator: string): QemuDescription {
    const { confinement } = this.#config;
    const vm = machineConfig(this.#config, accelerator, place);
    return confinement === false ? { vm } : { vm, confinement };
  }
}

function settingsOf(config: QemuConfig): VmSettings {
  const { vmRoot, vsock, onNetworkChange } = config;
  return { vmRoot, vsock, onNetworkChange, sharedTree: sharedTreeOf(config) };
}

function sharedTreeOf(config: QemuConfig): SharedTreeSettings {
  if (config.sharedFs === "none") return { kind: "none" };
  if (config.sharedFs === "virtio-9p") return { kind: "9p", messageBytes: config.msize9p };
  const { virtiofsdPath: daemonPath, virtioFsCache: cache, virtiofsdArguments: extraArguments } = config;
  return {
    ...{ kind: "virtio-fs", daemonPath, cache },
    ...(isSavable(config) ? { savable: true } : {}),
    ...(extraArguments === undefined ? {} : { extraArguments }),
  };
}
