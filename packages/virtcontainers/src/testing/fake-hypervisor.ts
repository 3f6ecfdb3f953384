import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { identifyProcess, isAlive, type ProcessIdentity, signalProcess } from "@kata-ts/linux";
import type { VmExit } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import type { VmCapabilities } from "../ports/capabilities.ts";
import type {
  BootRequest,
  FoundVm,
  Hypervisor,
  PluggedDisk,
  PluggedNic,
  Vm,
  VmGrowth,
  VmOverhead,
  VmState,
} from "../ports/hypervisor.ts";
import type { Fingerprint, SavedVm, SaveVmOptions } from "../ports/saved-vm.ts";
import { ALL_CAPABILITIES } from "./all-capabilities.ts";

/** Hypervisor without virtual machines: each "VM" is an idle process, so that its life and death are the OS's. */
export class FakeHypervisor implements Hypervisor {
  readonly overhead: VmOverhead = { memoryMiB: 512, cpus: 2 };
  /** What its VMs can be given. */
  capabilities: VmCapabilities = ALL_CAPABILITIES;
  /** Who lives in each VM, by its directory. */
  readonly members: Map<string, Set<string>> = new Map();
  /** What was plugged into each VM, by its directory. */
  readonly grown: Map<string, VmGrowth> = new Map();
  /** What is shared now, by VM directory and name. */
  readonly shared: Map<string, Map<string, string>> = new Map();
  /** Whether a process that owns its VMs has it: that has them as they were booted. */
  isOwner = false;
  /** Whether its VMs can be saved: as files that say nothing. */
  isSavable = false;
  /** The process that is known to have made its VMs. */
  creator: ProcessIdentity = identifyProcess(process.pid);
  /** Makes the next boot fail. */
  failure: Error | undefined;
  readonly #found: Map<string, FoundVm> = new Map();
  #serial = 0;

  async boot(request: BootRequest): Promise<Vm> {
    if (this.failure !== undefined) throw this.failure;
    const child = spawn("/bin/sleep", ["1000"], { stdio: "ignore", detached: true });
    const identity = identifyProcess(child.pid ?? 0);
    const dir = `/fake/${request.sandboxId}/${String(this.#serial++)}`;
    this.shared.set(dir, new Map());
    this.members.set(dir, new Set());
    request.onProcess?.(identity.pid);
    const state = { dir, agentUrl: `fake://${dir}`, processes: [identity], vmm: identity, accelerator: "fake" };
    const { owner, sandboxId, detachable = false } = request;
    this.#found.set(dir, { state, owner, sandboxId, creator: this.creator });
    return new FakeVm(state, this, { child, detachable });
  }

  async fingerprint(): Promise<Fingerprint> {
    return { machine: "fake" };
  }

  async found(): Promise<readonly FoundVm[]> {
    return [...this.#found.values()];
  }

  /** Changes whose a VM is. */
  note(dir: string, change: Partial<FoundVm>): void {
    const found = this.#found.get(dir);
    if (found !== undefined) this.#found.set(dir, { ...found, ...change });
  }

  async take(state: VmState): Promise<Vm> {
    if (!isAlive(state.vmm)) throw new KataError("KATA_VM_GONE", `the VM in ${state.dir} has ended`);
    if (this.#found.get(state.dir)?.detached === undefined)
      throw new KataError("KATA_STATE", `the VM in ${state.dir} belongs to another program, which is alive`);
    this.note(state.dir, { detached: undefined, creator: this.creator });
    return new FakeVm(state, this, { child: undefined, detachable: true });
  }

  /** Its VM is gone whole. */
  forget(dir: string): void {
    this.#found.delete(dir);
  }

  reopen(state: VmState): Vm {
    const booted = this.isOwner ? this.#found.get(state.dir)?.state : undefined;
    return new FakeVm(booted ?? state, this, { child: undefined, detachable: false });
  }
}

class FakeVm implements Vm {
  readonly state: VmState;
  readonly ended: Promise<VmExit | undefined>;
  readonly answered = false;
  readonly sharesFiles = true;
  readonly #host: FakeHypervisor;
  #ports = 0;
  readonly #child: ChildProcess | undefined;
  readonly #detachable: boolean;

  constructor(
    state: VmState,
    host: FakeHypervisor,
    { child, detachable }: { readonly child: ChildProcess | undefined; readonly detachable: boolean },
  ) {
    this.#detachable = detachable;
    this.state = state;
    this.#host = host;
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child?.once("exit", () => {
        resolve(undefined);
      });
    });
  }

  get capabilities(): VmCapabilities {
    return this.#host.capabilities;
  }

  isRunning(): boolean {
    return isAlive(this.state.vmm);
  }

  noteBoot(): Promise<void> {
    return Promise.resolve();
  }

  commit(): void {
    this.#child?.unref();
  }

  prepareDetach(): Promise<void> {
    return Promise.resolve();
  }

  async detach(note: string): Promise<void> {
    if (!this.#detachable) throw new KataError("KATA_UNSUPPORTED", "the VM ends with the process that it belongs to");
    if (!this.isRunning()) throw new KataError("KATA_VM_GONE", `the VM in ${this.state.dir} has ended`);
    this.#host.note(this.state.dir, { detached: note });
  }

  unref(): void {
    this.#child?.unref();
  }

  async join(containerId: string): Promise<void> {
    const members = this.#host.members.get(this.state.dir);
    if (members === undefined) throw new KataError("KATA_VM_GONE", `${containerId} comes too late`);
    members.add(containerId);
  }

  async leave(containerId: string): Promise<boolean> {
    const members = this.#host.members.get(this.state.dir);
    members?.delete(containerId);
    if (members !== undefined && members.size > 0) return false;
    this.#host.members.delete(this.state.dir);
    return true;
  }

  async members(): Promise<string[]> {
    return [...(this.#host.members.get(this.state.dir) ?? [])];
  }

  async grow(wanted: VmGrowth): Promise<VmGrowth> {
    const before = this.#host.grown.get(this.state.dir) ?? { vcpus: 0, memoryMiB: 0 };
    const more = {
      vcpus: Math.max(0, wanted.vcpus - before.vcpus),
      memoryMiB: Math.max(0, wanted.memoryMiB - before.memoryMiB),
    };
    this.#host.grown.set(this.state.dir, {
      vcpus: before.vcpus + more.vcpus,
      memoryMiB: before.memoryMiB + more.memoryMiB,
    });
    return more;
  }

  async shrink(memoryMiB: number): Promise<void> {
    const before = this.#host.grown.get(this.state.dir) ?? { vcpus: 0, memoryMiB: 0 };
    this.#host.grown.set(this.state.dir, { ...before, memoryMiB: Math.min(before.memoryMiB, memoryMiB) });
  }

  async plugSharedTree(): Promise<{ driver: string; mount_point: string }> {
    return { driver: "virtio-fs", mount_point: "/fake" };
  }

  async plugNic(id: string): Promise<PluggedNic> {
    this.#ports += 1;
    return { handle: id, where: `1${String(this.#ports)}/00` };
  }

  async plugDisk(): Promise<PluggedDisk> {
    this.#ports += 1;
    return { kind: "blk", where: `1${String(this.#ports)}/00` };
  }

  async unplugDisk(): Promise<void> {
    return undefined;
  }

  async unplugNic(): Promise<void> {
    return undefined;
  }

  async share(source: string, name: string): Promise<string> {
    if (!this.isRunning()) throw new KataError("KATA_VM_GONE", `cannot share ${source}: the VM has ended`);
    this.#host.shared.get(this.state.dir)?.set(name, source);
    return `/fake${source}`;
  }

  async save(directory: string, { suffix }: SaveVmOptions): Promise<SavedVm> {
    if (!this.#host.isSavable) throw new KataError("KATA_UNSUPPORTED", "an idle process cannot be saved");
    const [memory, state] = [`memory-${suffix}`, `state-${suffix}`];
    for (const name of [memory, state]) await writeFile(join(directory, name), name);
    return { memory, state, disks: [], growth: { vcpus: 0, memoryMiB: 0 }, accelerator: this.state.accelerator };
  }

  async goOn(): Promise<void> {
    return undefined;
  }

  async unshare(name: string): Promise<void> {
    const shared = this.#host.shared.get(this.state.dir);
    for (const key of shared?.keys() ?? []) if (key === name || key.startsWith(`${name}/`)) shared?.delete(key);
  }

  async exit(): Promise<VmExit | undefined> {
    return undefined;
  }

  async stop(): Promise<void> {
    signalProcess(this.state.vmm, "SIGKILL");
    while (this.isRunning()) await new Promise(setImmediate);
    this.#child?.ref();
    if (this.#child !== undefined) await this.ended;
    this.#host.shared.delete(this.state.dir);
    this.#host.forget(this.state.dir);
  }
}
