import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type FileLock, isAlive, LinuxError, lockFile, Silence } from "@kata-ts/linux";
import {
  continueMachine,
  growMemory,
  hasScsiAdapter,
  letCardIn,
  noteKvmGuest,
  plugDisk,
  plugNic,
  plugScsiDisk,
  plugVirtioFs,
  QemuError,
  QmpClient,
  restoreMachine,
  rootPortAt,
  shrinkMemory,
  unplugDisk,
  unplugNic,
} from "@kata-ts/qemu-driver";
import { KataError } from "../errors.ts";
import type { NicBackend, PluggedDisk, PluggedNic, UnplugOptions, VmGrowth, VmState } from "../ports/hypervisor.ts";
import { LateCard } from "../ports/late-card.ts";
import { LateDisk } from "../ports/late-disk.ts";
import type { GoOnOptions } from "../ports/saved-vm.ts";
import type { Machine, MachineDisk, SaveRequest, UnplugDisksOptions } from "../ports/vmm.ts";
import type { SavedGuest } from "../template/saved-guest.ts";
import { freePlace } from "./free-place.ts";
import { growVcpusOf } from "./grow-vcpus.ts";
import { acceleratorProbe, type QemuConfig } from "./qemu-config.ts";
import { qmpSocketOf } from "./qmp-socket.ts";

const MONITOR_SILENCE_MS = 5_000;
const PLUG_DEADLINE_MS = 30_000;
/** For a guest that lets go of disks one after the other, each of which takes it five seconds by the rules of PCI Express. */
const [UNPLUG_DEADLINE_MS, MORE_MS] = [20_000, 6_000];
/** Between two attempts at a monitor that does not answer. */
const SILENCE_PAUSE_MS = 500;

/** A QEMU that was started, changed over its monitor's socket. */
export class QemuMachine implements Machine {
  readonly #state: VmState;
  readonly #config: QemuConfig;
  readonly #plugDeadlineMs: number;

  /** @param plugDeadlineMs how long another call may change the machine before this one gives up */
  constructor(state: VmState, config: QemuConfig, plugDeadlineMs: number = PLUG_DEADLINE_MS) {
    this.#state = state;
    this.#config = config;
    this.#plugDeadlineMs = plugDeadlineMs;
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

  async unplugNic(handle: string, options: UnplugOptions = {}): Promise<void> {
    await using qmp = await this.#monitor();
    try {
      await unplugNic(qmp, { id: handle }, options);
    } catch (error) {
      throw isLate(error) ? new LateCard(`network card ${handle}`, error) : error;
    }
  }

  async plugDisk(owner: string, device: string, options: MachineDisk): Promise<PluggedDisk> {
    const { disks: tuning = {}, rootPorts } = this.#config;
    const { readonly, index, where } = options;
    const disk = { id: diskId(owner, index), device, readonly, tuning };
    return this.#alone(async (qmp) => {
      if (where !== undefined) {
        await plugDisk(qmp, { ...disk, rootPort: requirePort(where) });
        return { kind: "blk", where };
      }
      if (tuning.scsi === true && (await hasScsiAdapter(qmp)))
        return { kind: "scsi", where: `${String(await plugScsiDisk(qmp, disk))}:0` };
      const { rootPort, pciPath } = await freePlace(qmp, rootPorts);
      await plugDisk(qmp, { ...disk, rootPort });
      return { kind: "blk", where: pciPath };
    });
  }

  async unplugDisks(owner: string, { last = 0, deadlineMs }: UnplugDisksOptions = {}): Promise<void> {
    await using qmp = await this.#monitor();
    const giveUpAt = performance.now() + (deadlineMs ?? UNPLUG_DEADLINE_MS + last * MORE_MS);
    let late: LateDisk | undefined;
    const unplug = async (index: number): Promise<boolean> => {
      try {
        // One deadline for all. Once it is over the others are asked for, too.
        const left = Math.max(0, Math.ceil(giveUpAt - performance.now()));
        return await unplugDisk(qmp, { id: diskId(owner, index) }, { deadlineMs: late === undefined ? left : 0 });
      } catch (error) {
        if (!isLate(error)) throw error;
        late ??= new LateDisk(owner, error);
        return true;
      }
    };
    await unplug(0);
    // Of those that were asked for together, the guest may keep one for longer than the next.
    for (let index = 1; (await unplug(index)) || index < last; index++);
    if (late !== undefined) throw late;
  }

  async save(saved: SavedGuest, request: SaveRequest): Promise<void> {
    const { saveQemu } = await import("./save-qemu.ts");
    await this.#alone((qmp) => saveQemu(qmp, { state: this.#state, config: this.#config }, saved, request));
  }

  async goOn({ patient = false }: GoOnOptions = {}): Promise<void> {
    for (;;) {
      try {
        await this.#alone(continueMachine);
        return;
      } catch (error) {
        if (!patient || !(isSilence(error) || isBusy(error)) || !isAlive(this.#state.vmm)) throw error;
      }
      await delay(SILENCE_PAUSE_MS);
    }
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
    const lock = await this.#lock();
    try {
      await using qmp = await this.#monitor();
      return await body(qmp);
    } finally {
      lock[Symbol.dispose]();
    }
  }

  async #lock(): Promise<FileLock> {
    const { dir } = this.#state;
    try {
      return await lockFile(join(dir, "plug.lock"), { deadlineMs: this.#plugDeadlineMs });
    } catch (error) {
      if (!(error instanceof LinuxError) || error.errno !== "ETIMEDOUT") throw error;
      throw new KataError("KATA_LOCK_TIMEOUT", `the VM in ${dir} is being changed by another call for too long`, {
        cause: error,
        hint: "try again: that call ends, or its monitor has hung",
      });
    }
  }

  /** A QEMU that was started just now does not listen yet. */
  async #monitor(): Promise<QmpClient> {
    const silence = new Silence(this.#state.vmm.pid, MONITOR_SILENCE_MS);
    for (;;) {
      try {
        return await QmpClient.connect(qmpSocketOf(this.#state.dir));
      } catch (error) {
        if (!isAlive(this.#state.vmm) || silence.isOver()) throw error;
      }
      await delay(5);
    }
  }
}

function isLate(error: unknown): boolean {
  return error instanceof QemuError && error.code === "KATA_QMP_TIMEOUT";
}

/** QEMU has not answered, or not taken the connection: it may do so later. What it refuses, it refuses. */
function isSilence(error: unknown): boolean {
  return error instanceof QemuError && (error.code === "KATA_QMP_TIMEOUT" || error.code === "KATA_QMP_CLOSED");
}

/** Another call is at the machine, which may wait for a monitor that has hung. */
function isBusy(error: unknown): boolean {
  return error instanceof KataError && error.code === "KATA_LOCK_TIMEOUT";
}

function requirePort(where: string): string {
  const port = rootPortAt(where);
  if (port === undefined) throw new KataError("KATA_SNAPSHOT", `a machine has no port for a disk at ${where}`);
  return port;
}

/** Short: QEMU's names of block devices are. */
function diskId(owner: string, index: number): string {
  return `disk-${createHash("sha256").update(owner).digest("hex").slice(0, 16)}-${String(index)}`;
}
