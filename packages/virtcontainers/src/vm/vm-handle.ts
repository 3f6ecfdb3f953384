import type { grpc } from "@kata-ts/agent-protocol";
import { SHARED_TREE_PATH, SHARED_TREE_TAG } from "@kata-ts/agent-protocol/guest-contract";
import { isAlive } from "@kata-ts/linux";
import type { VmExit } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import type { VmCapabilities } from "../ports/capabilities.ts";
import type {
  DiskOptions,
  NicBackend,
  PluggedDisk,
  PluggedNic,
  ShareOptions,
  UnplugOptions,
  Vm,
  VmGrowth,
  VmState,
} from "../ports/hypervisor.ts";
import { LateDisk } from "../ports/late-disk.ts";
import type { GoOnOptions, SavedVm, SaveVmOptions } from "../ports/saved-vm.ts";
import type { SharedTreeSettings, Vmm } from "../ports/vmm.ts";
import { missingGrowth } from "./boot-growth.ts";
import { DiskRecords } from "./disk-records.ts";
import { endProcesses } from "./end-processes.ts";
import { giveBackLateDisks, takeDisksOut } from "./late-disks.ts";
import { NamespaceHandles } from "./namespace-handles.ts";
import { requireCapability, SAVE_HINT } from "./require-capability.ts";
import { returnNetwork } from "./return-network.ts";
import { SharedTree, type SharedTreePlace } from "./shared-tree.ts";
import { sharedTreeStorage } from "./shared-tree-storage.ts";
import type { StartedSupervisor } from "./started-supervisor.ts";
import { removeVmDirectory, vmDirectory } from "./vm-directory.ts";
import { readExit } from "./vm-exit.ts";
import { VmMembers } from "./vm-members.ts";
import { disownVm, reserveDisowning } from "./vm-owner.ts";

export interface VmHandleOptions {
  /** Where this process started the VM, or has taken it. */
  readonly supervisor?: StartedSupervisor | undefined;
  /** Vm.answered. */
  readonly answered?: boolean | undefined;
  /** The shared tree was plugged in before it was known whose the VM is. */
  readonly hasSharedTree?: boolean | undefined;
}

/** A VM, ours or an earlier process's. What belongs to any VM is here; its machine is changed by its monitor. */
export class VmHandle implements Vm {
  readonly state: VmState;
  readonly ended: Promise<VmExit | undefined>;
  readonly answered: boolean;
  readonly #vmm: Vmm;
  readonly #supervisor: StartedSupervisor | undefined;
  readonly #hasSharedTree: boolean;
  readonly #tree: SharedTree;
  readonly #members: VmMembers;
  readonly #disks: DiskRecords;
  #lastExit: VmExit | undefined;
  #isLetGo = false;
  #stopping: Promise<void> = Promise.resolve();

  constructor(state: VmState, vmm: Vmm, options: VmHandleOptions = {}) {
    const { supervisor, answered = false, hasSharedTree = false } = options;
    this.state = state;
    this.answered = answered;
    this.#vmm = vmm;
    this.#supervisor = supervisor;
    this.#hasSharedTree = hasSharedTree;
    this.#tree = new SharedTree(treePlace(state, vmm.settings.sharedTree));
    this.#members = new VmMembers(state.dir);
    this.#disks = new DiskRecords(state.dir);
    this.ended = supervisor === undefined ? new Promise(() => undefined) : supervisor.ended.then(() => this.exit());
  }

  get capabilities(): VmCapabilities {
    return this.#vmm.capabilities;
  }

  isRunning(): boolean {
    return isAlive(this.state.vmm);
  }

  async noteBoot(cameUp: boolean): Promise<void> {
    await (await this.#machine()).noteBoot(cameUp);
  }

  commit(): void {
    this.#supervisor?.commit();
  }

  async prepareDetach(note: string): Promise<void> {
    await reserveDisowning(this.state.dir, note);
  }

  async detach(note: string): Promise<void> {
    const supervisor = this.#supervisor;
    if (supervisor?.letGo === undefined)
      throw new KataError("KATA_UNSUPPORTED", `the VM in ${this.state.dir} ends with the process that it belongs to`);
    await disownVm(this.state.dir, note);
    await supervisor.letGo();
    this.#isLetGo = true;
    if (!this.isRunning()) throw new KataError("KATA_VM_GONE", `the VM in ${this.state.dir} has ended`);
  }

  unref(): void {
    this.#supervisor?.unref();
  }

  join(containerId: string): Promise<void> {
    return this.#members.join(containerId);
  }

  leave(containerId: string): Promise<boolean> {
    return this.#members.leave(containerId);
  }

  members(): Promise<readonly string[]> {
    return this.#members.list();
  }

  async grow(wanted: VmGrowth): Promise<VmGrowth> {
    const missing = await missingGrowth(this, wanted, this.#vmm.size.memoryMiB);
    if (missing.vcpus === 0 && missing.memoryMiB === 0) return missing;
    return (await this.#machine()).grow(missing);
  }

  async shrink(memoryMiB: number): Promise<void> {
    if (this.capabilities.memoryShrink) await (await this.#machine()).shrink(memoryMiB);
  }

  get sharesFiles(): boolean {
    return this.#vmm.settings.sharedTree.kind !== "none";
  }

  async plugSharedTree(): Promise<grpc.Storage.$Properties | undefined> {
    const { sharedTree } = this.#vmm.settings;
    if (sharedTree.kind === "virtio-fs" && !this.#hasSharedTree) {
      const { virtiofsSocket } = vmDirectory(this.state.dir);
      await (await this.#machine()).plugFileSystem({ socket: virtiofsSocket, tag: SHARED_TREE_TAG });
    }
    return sharedTreeStorage(sharedTree);
  }

  async plugNic(id: string, backend: NicBackend): Promise<PluggedNic> {
    requireCapability(this, backend.kind === "vfio" ? "deviceAssignment" : "nicHotplug", `${id} cannot be plugged in`);
    return (await this.#machine()).plugNic(id, backend);
  }

  async unplugNic({ handle }: PluggedNic, options: UnplugOptions = {}): Promise<void> {
    await (await this.#machine()).unplugNic(handle, options);
  }

  async plugDisk(
    containerId: string,
    device: string,
    { readonly = false, index = 0, where }: DiskOptions = {},
  ): Promise<PluggedDisk> {
    requireCapability(this, "diskHotplug", `${device} cannot be plugged in`);
    const disk = { readonly, index, ...(where === undefined ? {} : { where }) };
    const machine = await this.#machine();
    using _lock = await this.#disks.lock();
    await giveBackLateDisks(machine, this.#disks, { deadlineMs: 0 }).catch(() => undefined);
    // It would be taken out with those: the monitor knows disks by their owner's name.
    if ((await this.#disks.leaving()).has(containerId)) throw new LateDisk(containerId, undefined);
    const plugged = await machine.plugDisk(containerId, device, disk);
    await this.#disks.add({ owner: containerId, readonly, index, ...plugged }, device);
    return plugged;
  }

  async unplugDisk(containerId: string): Promise<void> {
    if (!this.capabilities.diskHotplug) return;
    await takeDisksOut(await this.#machine(), this.#disks, containerId);
  }

  async save(directory: string, options: SaveVmOptions): Promise<SavedVm> {
    requireCapability(this, "saveRunning", "the VM cannot be saved", SAVE_HINT);
    const { saveVm } = await import("./save-vm.ts");
    await this.#giveBackLateDisks();
    const { sharesFiles, state } = this;
    const shared = sharesFiles ? { tree: this.#tree } : {};
    return saveVm(
      { machine: await this.#machine(), state, disks: await this.#disks.list(), ...shared },
      directory,
      options,
    );
  }

  async #giveBackLateDisks(): Promise<void> {
    const machine = await this.#machine();
    using _lock = await this.#disks.lock();
    await giveBackLateDisks(machine, this.#disks);
  }

  async goOn(options: GoOnOptions = {}): Promise<void> {
    await (await this.#machine()).goOn(options);
  }

  async share(source: string, name: string, options: ShareOptions): Promise<string> {
    this.#requireOwn();
    const ended = (cause?: unknown): KataError =>
      new KataError("KATA_VM_GONE", `cannot share ${source}: the VM has ended`, { cause });
    if (!this.sharesFiles) {
      throw new KataError(
        "KATA_UNSUPPORTED",
        `${source} cannot be shared with the guest: its sandbox shares no files`,
        {
          hint: "put it on a block device, or choose another vm.sharedFs",
        },
      );
    }
    if (!this.isRunning()) throw ended();
    const exported = await this.#tree.add(source, name, options).catch((error: unknown) => {
      throw this.isRunning() ? error : ended(error); // its mount namespace went meanwhile
    });
    return `${SHARED_TREE_PATH}/${exported}`;
  }

  async unshare(name: string): Promise<void> {
    if (!this.isRunning() || !this.sharesFiles) return;
    await this.#tree.remove(name).catch((error: unknown) => {
      if (this.isRunning()) throw error;
    });
  }

  async exit(): Promise<VmExit | undefined> {
    return this.#lastExit ?? (await readExit(this.state.dir).catch(() => undefined));
  }

  /** One after the other: an abort and the rollback that follows it both end the VM. */
  stop(): Promise<void> {
    this.#stopping = this.#stopping.catch(() => undefined).then(() => this.#stopNow());
    return this.#stopping;
  }

  async #stopNow(): Promise<void> {
    const { dir } = this.state;
    if (this.isRunning()) this.#requireOwn();
    using namespaces = new NamespaceHandles(this.state);
    await endProcesses(this.state, this.#supervisor);
    this.#lastExit = await this.exit();
    await returnNetwork(dir, namespaces.paths);
    await removeVmDirectory(dir);
  }

  /** What was let go of is changed by the process alone that it belongs to since. @throws KataError KATA_STATE */
  #requireOwn(): void {
    if (!this.#isLetGo) return;
    throw new KataError("KATA_STATE", `the VM in ${this.state.dir} was let go of, and may belong to another program`);
  }

  async #machine(): Promise<Awaited<ReturnType<Vmm["machine"]>>> {
    this.#requireOwn();
    return this.#vmm.machine(this.state);
  }
}

/** The file daemon is the helper that was started after the monitor. */
function treePlace({ dir, processes, vmm }: VmState, { kind }: SharedTreeSettings): SharedTreePlace {
  const helpers = kind !== "virtio-fs" ? [] : processes.slice(processes.findIndex(({ pid }) => pid === vmm.pid) + 1);
  return { directory: dir, tree: vmDirectory(dir).shared, pid: vmm.pid, daemonPid: helpers[0]?.pid };
}
