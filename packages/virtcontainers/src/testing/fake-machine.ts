import { readFile, writeFile } from "node:fs/promises";
import { KataError } from "../errors.ts";
import type { NicBackend, PluggedDisk, PluggedNic, VmGrowth } from "../ports/hypervisor.ts";
import { LateDisk } from "../ports/late-disk.ts";
import type { Machine, MachineDisk, SaveRequest } from "../ports/vmm.ts";
import type { SavedGuest } from "../template/saved-guest.ts";

/** As many devices as it takes. */
const PORTS = 4;

/** What was done to a machine of a FakeVmm. */
export class FakeMachine implements Machine {
  /** Beyond what it had at boot. */
  grown: VmGrowth = { vcpus: 0, memoryMiB: 0 };
  /** By tag. */
  readonly fileSystems: Map<string, string> = new Map();
  /** By handle. */
  readonly nics: Map<string, NicBackend> = new Map();
  /** By owner and index. */
  readonly disks: Map<string, string> = new Map();
  /** Whether the guest does not let go of disks in time. */
  isLate = false;
  /** What the guest was restored from. */
  restored: string | undefined;
  readonly #places: Map<string, number> = new Map();

  async grow(wanted: VmGrowth): Promise<VmGrowth> {
    const { vcpus, memoryMiB } = this.grown;
    const more = { vcpus: Math.max(0, wanted.vcpus - vcpus), memoryMiB: Math.max(0, wanted.memoryMiB - memoryMiB) };
    this.grown = { vcpus: vcpus + more.vcpus, memoryMiB: memoryMiB + more.memoryMiB };
    return more;
  }

  async shrink(memoryMiB: number): Promise<void> {
    this.grown = { ...this.grown, memoryMiB: Math.min(this.grown.memoryMiB, memoryMiB) };
  }

  async plugFileSystem({ socket, tag }: { readonly socket: string; readonly tag: string }): Promise<void> {
    this.fileSystems.set(tag, socket);
  }

  async plugNic(id: string, backend: NicBackend): Promise<PluggedNic> {
    const where = this.#take(id);
    this.nics.set(id, backend);
    return { handle: id, where };
  }

  async unplugNic(handle: string): Promise<void> {
    this.nics.delete(handle);
    this.#places.delete(handle);
  }

  async plugDisk(owner: string, device: string, { index }: MachineDisk): Promise<PluggedDisk> {
    const id = `${owner} ${String(index)}`;
    const where = this.#take(id);
    this.disks.set(id, device);
    return { kind: "blk", where };
  }

  async unplugDisks(owner: string): Promise<void> {
    if (this.isLate && [...this.disks.keys()].some((id) => id.startsWith(`${owner} `)))
      throw new LateDisk(owner, undefined);
    for (const id of this.disks.keys()) {
      if (!id.startsWith(`${owner} `)) continue;
      this.disks.delete(id);
      this.#places.delete(id);
    }
  }

  async save({ memory, state }: SavedGuest, { whileStopped, signal }: SaveRequest): Promise<void> {
    await writeFile(memory, "memory");
    await writeFile(state, "state");
    await whileStopped(signal);
  }

  async goOn(): Promise<void> {
    return undefined;
  }

  async restore({ state }: SavedGuest): Promise<void> {
    this.restored = await readFile(state, "utf8");
  }

  async noteBoot(): Promise<void> {
    return undefined;
  }

  #take(id: string): string {
    const taken = new Set(this.#places.values());
    const free = Array.from({ length: PORTS }, (_, port) => port).find((port) => !taken.has(port));
    if (free === undefined) throw new KataError("KATA_CONFIG", "the VM has no port left for another device");
    this.#places.set(id, free);
    return `1${String(free)}/00`;
  }
}
