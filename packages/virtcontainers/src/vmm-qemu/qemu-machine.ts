import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive, lockFile } from "@kata-ts/linux";
import {
  growMemory,
  hasScsiAdapter,
  letCardIn,
  noteKvmGuest,
  plugDisk,
  plugNic,
  plugScsiDisk,
  plugVirtioFs,
  QmpClient,
  restoreMachine,
  shrinkMemory,
  unplugDisk,
  unplugNic,
} from "@kata-ts/qemu-driver";
import type { DiskOptions, NicBackend, PluggedDisk, PluggedNic, VmGrowth, VmState } from "../ports/hypervisor.ts";
import type { Machine } from "../ports/vmm.ts";
import type { SavedGuest } from "../template/saved-guest.ts";
import { freePlace } from "./free-place.ts";
import { growVcpusOf } from "./grow-vcpus.ts";
import { acceleratorProbe, type QemuConfig } from "./qemu-config.ts";
import { qmpSocketOf } from "./qmp-socket.ts";

const MONITOR_DEADLINE_MS = 5_000;
const PLUG_DEADLINE_MS = 30_000;

/** A QEMU that was started, changed over its monitor's socket. */
export class QemuMachine implements Machine {
  readonly #state: VmState;
  readonly #config: QemuConfig;

  constructor(state: VmState, config: QemuConfig) {
    this.#state = state;
    this.#config = config;
  }

  async grow(wanted: VmGrowth): Promise<VmGrowth> {
    return this.#alone(async (qmp) => {
      const memoryMiB = await growMemory(qmp, wanted.memoryMiB, this.#config.memory);
      return { vcpus: await growVcpusOf(qmp, this.#state, this.#config, wanted.vcpus), memoryMiB };
    });
  }

  async shrink(memoryMiB: number): Promise<void> {
    await this.#alone((qmp) => shrinkMemory(qmp, memoryMiB));
  }

  async plugFileSystem({ socket, tag }: { readonly socket: string; readonly tag: string }): Promise<void> {
    await using qmp = await this.#monitor();
    await plugVirtioFs(qmp, { id: "shared", socket, tag, rootPort: "rp0" });
  }

  async plugNic(id: string, backend: NicBackend): Promise<PluggedNic> {
    return this.#alone(async (qmp) => {
      const { rootPort, pciPath } = await freePlace(qmp, this.#config.rootPorts);
      if (backend.kind === "vfio") letCardIn(this.#state.vmm.pid, backend.pciAddress);
      await plugNic(qmp, { id, rootPort, backend });
      return { handle: id, where: pciPath };
    });
  }

  async unplugNic(handle: string): Promise<void> {
    await using qmp = await this.#monitor();
    await unplugNic(qmp, { id: handle });
  }

  async plugDisk(owner: string, device: string, options: Required<DiskOptions>): Promise<PluggedDisk> {
    const { disks: tuning = {}, rootPorts } = this.#config;
    const { readonly = false, index = 0 } = options;
    const disk = { id: diskId(owner, index), device, readonly, tuning };
    return this.#alone(async (qmp) => {
      if (tuning.scsi === true && (await hasScsiAdapter(qmp)))
        return { kind: "scsi", where: `${String(await plugScsiDisk(qmp, disk))}:0` };
      const { rootPort, pciPath } = await freePlace(qmp, rootPorts);
      await plugDisk(qmp, { ...disk, rootPort });
      return { kind: "blk", where: pciPath };
    });
  }

  async unplugDisks(owner: string): Promise<void> {
    await using qmp = await this.#monitor();
    await unplugDisk(qmp, { id: diskId(owner, 0) });
    for (let index = 1; await unplugDisk(qmp, { id: diskId(owner, index) }); index++);
  }

  async restore({ state }: SavedGuest): Promise<void> {
    await using file = await open(state, "r");
    await using qmp = await this.#monitor();
    await restoreMachine(qmp, file.fd);
  }

  async noteBoot(cameUp: boolean): Promise<void> {
    if (this.#state.accelerator === "kvm") await noteKvmGuest(acceleratorProbe(this.#config), cameUp);
  }

  /** What is plugged in depends on what is there: two at once would take the same place, or plug in twice. */
  async #alone<T>(body: (qmp: QmpClient) => Promise<T>): Promise<T> {
    const lock = await lockFile(join(this.#state.dir, "plug.lock"), { deadlineMs: PLUG_DEADLINE_MS });
    try {
      await using qmp = await this.#monitor();
      return await body(qmp);
    } finally {
      lock[Symbol.dispose]();
    }
  }

  /** A QEMU that was started just now does not listen yet. */
  async #monitor(): Promise<QmpClient> {
    const giveUpAt = performance.now() + MONITOR_DEADLINE_MS;
    for (;;) {
      try {
        return await QmpClient.connect(qmpSocketOf(this.#state.dir));
      } catch (error) {
        if (!isAlive(this.#state.vmm) || performance.now() > giveUpAt) throw error;
      }
      await delay(5);
    }
  }
}

/** Short: QEMU's names of block devices are. */
function diskId(owner: string, index: number): string {
  return `disk-${createHash("sha256").update(owner).digest("hex").slice(0, 16)}-${String(index)}`;
}
