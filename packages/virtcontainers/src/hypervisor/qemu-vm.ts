import { createHash } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { grpc } from "@kata-ts/agent-protocol";
import { isAlive, lockFile, signalProcess } from "@kata-ts/linux";
import { ConnectionJournal, undoRedirectLoopback } from "@kata-ts/netns";
import { type VmExit, VmFile } from "@kata-ts/proxy";
import {
  growMemory,
  hasScsiAdapter,
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
import { KataError } from "../errors.ts";
import type {
  DiskOptions,
  NicBackend,
  PluggedDisk,
  PluggedNic,
  ShareOptions,
  Vm,
  VmGrowth,
  VmState,
} from "../ports/hypervisor.ts";
import { freePlace } from "./free-place.ts";
import { growVcpusOf } from "./grow-vcpus.ts";
import { NamespaceHandles } from "./namespace-handles.ts";
import { acceleratorProbe, type QemuConfig } from "./qemu-config.ts";
import { SharedTree, type SharedTreePlace } from "./shared-tree.ts";
import { removeVmDirectory, vmDirectory } from "./vm-directory.ts";
import { VmMembers } from "./vm-members.ts";
import { SHARE_TAG } from "./vm-spec.ts";
import type { StartedWatchman } from "./watchman-start.ts";

/** Where the guest has the shared tree: Kata's path. */
const GUEST_SHARED = "/run/kata-containers/shared/containers";
const STOP_DEADLINE_MS = 3_000;
const KILL_DEADLINE_MS = 5_000;
const MONITOR_DEADLINE_MS = 5_000;
const PLUG_DEADLINE_MS = 30_000;

/** A QEMU VM, ours or an earlier process's. */
export class QemuVm implements Vm {
  readonly state: VmState;
  readonly ended: Promise<VmExit | undefined>;
  answered = false;
  /** The shared tree was plugged in before it was known whose the VM is. */
  hasSharedTree = false;
  readonly #config: QemuConfig;
  readonly #watchman: StartedWatchman | undefined;
  readonly #tree: SharedTree;
  readonly #members: VmMembers;
  #lastExit: VmExit | undefined;
  #stopping: Promise<void> = Promise.resolve();

  constructor(state: VmState, config: QemuConfig, watchman: StartedWatchman | undefined) {
    this.state = state;
    this.#config = config;
    this.#watchman = watchman;
    this.#tree = new SharedTree(treePlace(state, config));
    this.#members = new VmMembers(state.dir);
    this.ended = watchman === undefined ? new Promise(() => undefined) : watchman.ended.then(() => this.exit());
  }

  /** Makes it what another was when that was saved; for one that was started for this. @param state a file */
  async restore(state: string): Promise<void> {
    await using file = await open(state, "r");
    await using qmp = await this.#monitor();
    await restoreMachine(qmp, file.fd);
  }

  isRunning(): boolean {
    return isAlive(this.state.qemu);
  }

  async noteBoot(cameUp: boolean): Promise<void> {
    if (this.state.accelerator === "kvm") await noteKvmGuest(acceleratorProbe(this.#config), cameUp);
  }

  commit(): void {
    this.#watchman?.commit();
  }

  unref(): void {
    this.#watchman?.unref();
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
    return this.#alone(async (qmp) => {
      const memoryMiB = await growMemory(qmp, wanted.memoryMiB, this.#config.memory);
      return { vcpus: await growVcpusOf(qmp, this.state, this.#config, wanted.vcpus), memoryMiB };
    });
  }

  async shrink(memoryMiB: number): Promise<void> {
    if (this.#config.memory?.resizable !== true) return;
    await this.#alone((qmp) => shrinkMemory(qmp, memoryMiB));
  }

  async plugSharedTree(): Promise<grpc.Storage.$Properties> {
    // The original's agent makes the directories up to the last slash.
    const mounted = { source: SHARE_TAG, mount_point: `${GUEST_SHARED}/` };
    if (this.#config.sharedFs === "virtio-9p") {
      const options = [`trans=virtio,version=9p2000.L,cache=mmap,msize=${String(this.#config.msize9p)}`, "nodev"];
      return { ...mounted, driver: "9p", fstype: "9p", options };
    }
    const directory = vmDirectory(this.state.dir);
    if (!this.hasSharedTree) {
      await using qmp = await this.#monitor();
      await plugVirtioFs(qmp, { id: "shared", socket: directory.virtiofsSocket, tag: SHARE_TAG, rootPort: "rp0" });
    }
    return { ...mounted, driver: "virtio-fs", fstype: "virtiofs", options: ["nodev"] };
  }

  async plugNic(id: string, backend: NicBackend): Promise<PluggedNic> {
    return this.#atFreePort(async (qmp, rootPort, pciPath) => {
      await plugNic(qmp, { id, rootPort, backend });
      return { id, rootPort, pciPath };
    });
  }

  async unplugNic({ id }: PluggedNic): Promise<void> {
    await using qmp = await this.#monitor();
    await unplugNic(qmp, { id });
  }

  async plugDisk(
    containerId: string,
    device: string,
    { readonly = false, index = 0 }: DiskOptions = {},
  ): Promise<PluggedDisk> {
    const { disks: tuning = {}, rootPorts } = this.#config;
    const disk = { id: diskId(containerId, index), device, readonly, tuning };
    return this.#alone(async (qmp) => {
      if (tuning.scsi === true && (await hasScsiAdapter(qmp)))
        return { kind: "scsi", where: `${String(await plugScsiDisk(qmp, disk))}:0` };
      const { rootPort, pciPath } = await freePlace(qmp, rootPorts);
      await plugDisk(qmp, { ...disk, rootPort });
      return { kind: "blk", where: pciPath };
    });
  }

  async unplugDisk(containerId: string): Promise<void> {
    await using qmp = await this.#monitor();
    await unplugDisk(qmp, { id: diskId(containerId, 0) });
    for (let index = 1; await unplugDisk(qmp, { id: diskId(containerId, index) }); index++);
  }

  async share(source: string, name: string, options: ShareOptions): Promise<string> {
    const ended = (cause?: unknown): KataError =>
      new KataError("KATA_VM_GONE", `cannot share ${source}: the VM has ended`, { cause });
    if (!this.isRunning()) throw ended();
    const exported = await this.#tree.add(source, name, options).catch((error: unknown) => {
      throw this.isRunning() ? error : ended(error); // its mount namespace went meanwhile
    });
    return `${GUEST_SHARED}/${exported}`;
  }

  async unshare(name: string): Promise<void> {
    if (!this.isRunning()) return;
    await this.#tree.remove(name).catch((error: unknown) => {
      if (this.isRunning()) throw error;
    });
  }

  async exit(): Promise<VmExit | undefined> {
    if (this.#lastExit !== undefined) return this.#lastExit;
    try {
      return JSON.parse(await readFile(join(this.state.dir, VmFile.exit), "utf8")) as VmExit;
    } catch {
      return undefined;
    }
  }

  /** One after the other: an abort and the rollback that follows it both end the VM. */
  stop(): Promise<void> {
    this.#stopping = this.#stopping.catch(() => undefined).then(() => this.#stopNow());
    return this.#stopping;
  }

  async #stopNow(): Promise<void> {
    using namespaces = new NamespaceHandles(this.state);
    await this.#endProcesses();
    this.#lastExit = await this.exit();
    // The watchman has done so, unless it was killed.
    await new ConnectionJournal(join(this.state.dir, VmFile.network)).close(namespaces.paths).catch(ignoreMissing);
    await this.#undoPortForwarding(namespaces.paths);
    await removeVmDirectory(this.state.dir);
  }

  async #undoPortForwarding(namespaces: readonly string[]): Promise<void> {
    const port = await readFile(join(this.state.dir, VmFile.ports), "latin1").catch(() => undefined);
    if (port === undefined) return;
    for (const path of namespaces) await undoRedirectLoopback(path, Number(port)).catch(() => undefined);
  }

  /** What is plugged in depends on what is there: two at once would take the same place, or plug in twice. */
  async #alone<T>(body: (qmp: QmpClient) => Promise<T>): Promise<T> {
    const lock = await lockFile(join(this.state.dir, "plug.lock"), { deadlineMs: PLUG_DEADLINE_MS });
    try {
      await using qmp = await this.#monitor();
      return await body(qmp);
    } finally {
      lock[Symbol.dispose]();
    }
  }

  #atFreePort<T>(plug: (qmp: QmpClient, rootPort: string, pciPath: string) => Promise<T>): Promise<T> {
    return this.#alone(async (qmp) => {
      const { rootPort, pciPath } = await freePlace(qmp, this.#config.rootPorts);
      return plug(qmp, rootPort, pciPath);
    });
  }

  /** A VM that was started just now does not listen yet. */
  async #monitor(): Promise<QmpClient> {
    const giveUpAt = performance.now() + MONITOR_DEADLINE_MS;
    for (;;) {
      try {
        return await QmpClient.connect(vmDirectory(this.state.dir).qmpSocket);
      } catch (error) {
        if (!this.isRunning() || performance.now() > giveUpAt) throw error;
      }
      await delay(5);
    }
  }

  /** The watchman is asked first and ends the others; what is left after a while is killed. */
  async #endProcesses(): Promise<void> {
    const [first] = this.state.processes;
    if (this.#watchman !== undefined)
      await Promise.race([this.#watchman.stop(), delay(STOP_DEADLINE_MS, undefined, { ref: false })]);
    else if (first !== undefined) signalProcess(first, "SIGTERM");
    const killAt = performance.now() + STOP_DEADLINE_MS;
    while (this.state.processes.some(isAlive)) {
      if (performance.now() > killAt) for (const process of this.state.processes) signalProcess(process, "SIGKILL");
      if (performance.now() > killAt + KILL_DEADLINE_MS) throw stuck(this.state);
      await delay(5);
    }
  }
}

/** The file daemon is the helper that was started after QEMU. */
function treePlace({ dir, processes, qemu }: VmState, { sharedFs }: QemuConfig): SharedTreePlace {
  const helpers =
    sharedFs === "virtio-9p" ? [] : processes.slice(processes.findIndex(({ pid }) => pid === qemu.pid) + 1);
  return { directory: dir, tree: vmDirectory(dir).shared, pid: qemu.pid, daemonPid: helpers[0]?.pid };
}

/** Short: QEMU's names of block devices are. */
function diskId(containerId: string, index: number): string {
  return `disk-${createHash("sha256").update(containerId).digest("hex").slice(0, 16)}-${String(index)}`;
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

function stuck(state: VmState): KataError {
  const pids = state.processes.filter(isAlive).map(({ pid }) => pid);
  return new KataError("KATA_STATE", `processes ${pids.join(", ")} of ${state.dir} do not end, even by SIGKILL`, {
    hint: "they hang in the kernel: look at their state with ps, then delete again",
  });
}
