import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { type ExitInfo, identifyProcess, type ProcessIdentity, type Tail, type TiedProcess } from "@kata-ts/linux";
import type { GuestChannel } from "./guest-channel.ts";
import { type BootTimeline, GuestConsole } from "./guest-console.ts";
import { collectStderr, endAtPanic } from "./helper-output.ts";
import type { MachineLauncher } from "./machine-launcher.ts";
import { type Channel, openChannel } from "./open-channel.ts";
import { RecordFile } from "./record-file.ts";
import { type Processes, spawnProcesses } from "./spawn-processes.ts";
import { type VmExit, VmFile, type VmPids, type VmProcesses, type VmSpec, type VmSurroundings } from "./vm-spec.ts";
import { VmTies } from "./vm-ties.ts";
import { openVsock, type SocketPlace } from "./vsock-device.ts";

/** virtiofsd ends at once on SIGTERM, unless it hangs. */
const STOP_DEADLINE_MS = 1_000;
/** Between the end of the monitor's sockets and its exit. */
const SETTLE_MS = 200;
const LAST_LINES = 40;

/**
 * Parent of one VM's processes. It starts them, multiplexes their channel, keeps the console, and notices their end:
 * then it records why, ends the helpers and closes every connection. When the process it lives in dies, they die too.
 */
export class VmSupervisor {
  readonly pids: VmPids;
  /** Resolves once everything of the VM is gone. */
  readonly ended: Promise<VmExit>;
  readonly #vmm: TiedProcess;
  readonly #virtiofsd: TiedProcess | undefined;
  readonly #channel: GuestChannel;
  readonly #vsockDaemon: TiedProcess | undefined;
  readonly #user: number | undefined;
  readonly #overVsock: boolean;
  readonly #place: SocketPlace | undefined;
  readonly #ties: VmTies;
  #reason: VmExit["reason"] | undefined;

  private constructor(
    spec: VmSpec,
    processes: Processes,
    { guest, dns, vsockDaemon, place }: Channel,
    isInside: boolean,
    ended: (supervisor: VmSupervisor) => Promise<VmExit>,
  ) {
    const { user } = processes;
    this.#overVsock = spec.vsock !== undefined && place === undefined;
    this.#place = place;
    this.#user = user === undefined ? undefined : user + 2;
    const { namespace } = processes;
    this.#ties = new VmTies({ dir: spec.dir, channel: guest, dns, surroundings: spec, namespace, isInside });
    this.#vmm = processes.vmm;
    this.#virtiofsd = processes.virtiofsd;
    this.#channel = guest;
    this.#vsockDaemon = vsockDaemon;
    this.pids = { vmm: processes.vmm.pid, virtiofsd: processes.virtiofsd?.pid };
    this.ended = ended(this);
  }

  /**
   * @param self the process that does nothing else, if there is one: it lives in the VM's network namespace, which to enter takes
   *   powers that it may not have, and a signal that ends it ends the VM
   * @throws LinuxError, and the launcher's errors, when a process or its namespace cannot be made; nothing is left then
   */
  static async start(spec: VmSpec, launch: MachineLauncher, self?: ProcessIdentity): Promise<VmSupervisor> {
    const own = self === undefined ? [] : [self];
    noteProcesses(spec, { processes: own });
    using vsock = await openVsock(spec);
    const channel = await openChannel(spec, vsock);
    try {
      const processes = await spawnProcesses(spec, launch, vsock);
      const vmm = identifyProcess(processes.vmm.pid);
      const helpers = [processes.virtiofsd, vsock?.daemon].filter((helper) => helper !== undefined);
      const identities = helpers.map(({ pid }) => identifyProcess(pid));
      noteProcesses(spec, { processes: [...own, vmm, ...identities], vmm, agentUrl: channel.agentUrl });
      const stderr = collectStderr([processes.vmm, ...helpers]);
      for (const helper of helpers) endAtPanic(helper);
      const files = openRecords(spec);
      const console = keepConsole(spec, processes.vmm, files.boot, () => vsock?.guestIsReady());
      return new VmSupervisor(spec, processes, channel, self !== undefined, (supervisor) =>
        supervisor.#watch(files, console, stderr),
      );
    } catch (error) {
      channel.guest.close();
      vsock?.daemon?.child.kill("SIGKILL");
      throw error;
    }
  }

  /**
   * Moves a cached VM to its sandbox, and this thread with it. The monitor stays in the namespace that it was started in: it
   * gets descriptors of the other one.
   *
   * @throws LinuxError, NetnsError when there is no such namespace
   */
  moveTo(surroundings: VmSurroundings): void {
    this.#ties.moveTo(surroundings);
  }

  /** From now on `onNetworkChange` is run when the network namespace changes that this thread and the VM are in. */
  followNetwork(): void {
    this.#ties.followNetwork();
  }

  /** From now on connections to the loopback of the VM's network namespace reach the guest's, where that is wanted. */
  forwardPorts(): void {
    this.#ties.forwardPorts();
  }

  /**
   * Takes from this process, which does nothing else, all rights and files that it does not need any more. Where the monitor is not
   * confined, it is not, either. Where a program serves the guest's vsock device, its guest is waited for.
   *
   * @throws LinuxError when the host refuses: then the VM is to be stopped
   */
  async confine(): Promise<void> {
    if (this.#user === undefined) return;
    const { vmm, virtiofsd } = this.pids;
    const children = [vmm, virtiofsd, this.#vsockDaemon?.pid].filter((pid) => pid !== undefined);
    await this.#ties.confine({ user: this.#user, children, overVsock: this.#overVsock, place: this.#place });
  }

  /** Whether confine() waits for the guest, which its starter has to go on for. */
  get settlesLate(): boolean {
    return this.#place !== undefined;
  }

  /** Once it has ended, and no process is interested in it: its directory goes. */
  abandon(): Promise<void> {
    return this.#ties.abandon();
  }

  /** Once it has ended, and the process that stopped it takes back the rest: from then on nothing of it runs beside this process. */
  release(): Promise<void> {
    return this.#ties.release();
  }

  /** From now on nothing of the VM keeps this process running, which still ends it. */
  unref(): void {
    this.#channel.unref();
    for (const process of [this.#vmm, this.#virtiofsd, this.#vsockDaemon]) {
      process?.child.unref();
      // Pipes of children are sockets.
      for (const pipe of [process?.child.stdout, process?.child.stderr]) (pipe as Socket | null | undefined)?.unref();
    }
  }

  /** Ends the VM. Idempotent. */
  async stop(): Promise<VmExit> {
    this.#end("stopped");
    return this.ended;
  }

  async #watch(files: Records, console: GuestConsole, stderr: Tail): Promise<VmExit> {
    const virtiofsdEnded =
      this.#virtiofsd?.exited.then(() => "virtiofsd-exited" as const) ?? new Promise<never>(() => undefined);
    const first = await Promise.race([
      this.#vmm.exited.then(() => "qemu-exited" as const),
      virtiofsdEnded,
      this.#channel.ended.then(() => "channel-lost" as const),
      this.#vsockDaemon?.exited.then(() => "channel-lost" as const) ?? new Promise<never>(() => undefined),
    ]);
    // The monitor's end shows at its socket before the kernel tells its exit: the more telling reason wins.
    this.#end(first === "channel-lost" && (await this.#endsItself()) ? "qemu-exited" : first);
    const exit: ExitInfo = await this.#vmm.exited;
    const helperExit = await this.#virtiofsd?.exited;
    await this.#vsockDaemon?.exited;
    const reason = this.#reason ?? first;
    const record: VmExit = {
      reason,
      phase: console.phase,
      ...exit,
      ...(this.#isOutOfMemory(reason === "virtiofsd-exited" ? helperExit : exit) ? { outOfMemory: true } : {}),
      stderr: stderr.lines(LAST_LINES),
      console: console.tail.lines(LAST_LINES),
    };
    files.exit.write(record);
    files.boot.close();
    // The engine's interfaces are its own again at once, before any process comes for them.
    await this.#ties.close(reason);
    return record;
  }

  #isOutOfMemory(exit: ExitInfo | undefined): boolean {
    if (this.#reason === "stopped" || exit?.signal !== "SIGKILL") return false;
    return this.#ties.ranOutOfMemory();
  }

  async #endsItself(): Promise<boolean> {
    const patience = AbortSignal.timeout(SETTLE_MS);
    const late: Promise<false> = new Promise((resolve) => {
      patience.addEventListener("abort", () => {
        resolve(false);
      });
    });
    return Promise.race([this.#vmm.exited.then(() => true), late]);
  }

  #end(reason: VmExit["reason"]): void {
    this.#reason ??= reason;
    this.#channel.close();
    this.#vsockDaemon?.child.kill("SIGKILL");
    // SIGTERM would take the monitor longer, and gain nothing: writes that it confirmed to its guest are with the kernel already.
    this.#vmm.child.kill("SIGKILL");
    this.#virtiofsd?.child.kill("SIGTERM");
    const timer = setTimeout(() => this.#virtiofsd?.child.kill("SIGKILL"), STOP_DEADLINE_MS);
    void this.#virtiofsd?.exited.then(() => {
      clearTimeout(timer);
    });
  }
}

interface Records {
  readonly boot: RecordFile<BootTimeline>;
  readonly exit: RecordFile<VmExit>;
}

function openRecords({ dir }: VmSpec): Records {
  return { boot: new RecordFile(join(dir, VmFile.boot)), exit: new RecordFile(join(dir, VmFile.exit)) };
}

function noteProcesses(spec: VmSpec, processes: VmProcesses): void {
  writeFileSync(join(spec.dir, VmFile.processes), `${JSON.stringify(processes)}\n`, { mode: 0o600 });
}

function keepConsole(
  spec: VmSpec,
  vmm: TiedProcess,
  boot: RecordFile<BootTimeline>,
  onReady: () => void,
): GuestConsole {
  const { stdout } = vmm.child;
  if (stdout === null) throw new Error("the machine was started without its console");
  return new GuestConsole(stdout, join(spec.dir, VmFile.console), (timeline) => {
    onReady();
    boot.write(timeline);
  });
}
