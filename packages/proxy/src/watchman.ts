import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { enterNamespace, identifyProcess, type ProcessIdentity } from "@kata-ts/linux";
import { ConnectionJournal, NetworkNamespace } from "@kata-ts/netns";
import { type ExitInfo, Tail, type TiedProcess } from "@kata-ts/qemu-driver";
import { DnsForwarder } from "./dns-forwarder.ts";
import { type BootTimeline, GuestConsole } from "./guest-console.ts";
import { serveGuestStream } from "./guest-stream.ts";
import { NetworkFollower } from "./network-follower.ts";
import { countsKills } from "./out-of-memory.ts";
import { PortForwarder } from "./port-forwarder.ts";
import { Relay } from "./relay.ts";
import { type Processes, spawnProcesses } from "./spawn-processes.ts";
import { type VmExit, VmFile, type VmPids, type VmProcesses, type VmSpec, type VmSurroundings } from "./vm-spec.ts";

/** virtiofsd ends at once when asked; this is for one that is stuck. */
const STOP_DEADLINE_MS = 1_000;
/** Between the end of QEMU's sockets and its exit. */
const SETTLE_MS = 200;
const LAST_LINES = 40;

/**
 * Parent of one VM's processes. It starts them, multiplexes their channel, keeps the console, and notices their end:
 * then it records why, ends the helpers and closes every connection. When the process it lives in dies, they die too.
 */
export class Watchman {
  readonly pids: VmPids;
  /** Resolves once everything of the VM is gone. */
  readonly ended: Promise<VmExit>;
  readonly #qemu: TiedProcess;
  readonly #virtiofsd: TiedProcess | undefined;
  readonly #relay: Relay;
  readonly #dns: DnsForwarder;
  readonly #spec: VmSpec;
  #surroundings: VmSurroundings;
  #namespace: NetworkNamespace;
  #follower: NetworkFollower | undefined;
  #ports: Promise<PortForwarder | undefined> | undefined;
  #reason: VmExit["reason"] | undefined;

  private constructor(
    spec: VmSpec,
    processes: Processes,
    { relay, dns }: Channel,
    ended: (watchman: Watchman) => Promise<VmExit>,
  ) {
    this.#spec = spec;
    this.#surroundings = spec;
    this.#dns = dns;
    this.#qemu = processes.qemu;
    this.#virtiofsd = processes.virtiofsd;
    this.#relay = relay;
    this.#namespace = processes.namespace;
    this.pids = { qemu: processes.qemu.pid, virtiofsd: processes.virtiofsd?.pid };
    this.ended = ended(this);
  }

  /**
   * @param self the process that does nothing else, if there is one: who ends it ends the VM
   * @throws QemuError, LinuxError when a process or its namespace cannot be made; nothing is left then
   */
  static async start(spec: VmSpec, self?: ProcessIdentity): Promise<Watchman> {
    const own = self === undefined ? [] : [self];
    noteProcesses(spec, { processes: own });
    const channel = await openChannel(spec);
    try {
      const processes = await spawnProcesses(spec);
      const qemu = identifyProcess(processes.qemu.pid);
      const helpers = processes.virtiofsd === undefined ? [] : [identifyProcess(processes.virtiofsd.pid)];
      noteProcesses(spec, { processes: [...own, qemu, ...helpers], qemu });
      const stderr = collectStderr(processes);
      if (processes.virtiofsd !== undefined) endAtPanic(processes.virtiofsd);
      const console = keepConsole(spec, processes.qemu);
      return new Watchman(spec, processes, channel, (self) => self.#watch(spec, console, stderr));
    } catch (error) {
      channel.relay.close();
      throw error;
    }
  }

  /**
   * Gives a VM that was started for nobody in particular its place, and this thread with it. QEMU stays in the namespace
   * that it was started in: it is handed what leads to the other one.
   *
   * @throws LinuxError, NetnsError when there is no such namespace
   */
  moveTo(surroundings: VmSurroundings): void {
    const { networkNamespace } = surroundings;
    if (networkNamespace !== undefined) {
      const namespace = NetworkNamespace.open(networkNamespace);
      enterNamespace("net", namespace.path);
      this.#namespace[Symbol.dispose]();
      this.#namespace = namespace;
    }
    this.#surroundings = surroundings;
    this.#dns.source = surroundings;
  }

  /** From now on `onNetworkChange` is run when the VM's network namespace changes. */
  followNetwork(): void {
    const { onNetworkChange } = this.#surroundings;
    if (onNetworkChange === undefined || this.#reason !== undefined) return;
    this.#follower = new NetworkFollower(this.#namespace.path, onNetworkChange);
  }

  /** From now on who connects to the loopback of this process's network namespace reaches the guest's, where wanted. */
  forwardPorts(): void {
    if (this.#surroundings.forwardLoopback !== true || this.#reason !== undefined) return;
    const noteFile = join(this.#spec.dir, VmFile.ports);
    // Without iptables there is no forwarding; everything else goes on.
    this.#ports = PortForwarder.start({ noteFile, openStream: () => this.#relay.openStream() }).catch(() => undefined);
  }

  /** Ends the VM. Idempotent. */
  async stop(): Promise<VmExit> {
    this.#end("stopped");
    return this.ended;
  }

  async #watch(spec: VmSpec, console: GuestConsole, stderr: Tail): Promise<VmExit> {
    const virtiofsdEnded =
      this.#virtiofsd?.exited.then(() => "virtiofsd-exited" as const) ?? new Promise<never>(() => undefined);
    const first = await Promise.race([
      this.#qemu.exited.then(() => "qemu-exited" as const),
      virtiofsdEnded,
      this.#relay.ended.then(() => "channel-lost" as const),
    ]);
    // QEMU's end shows at its socket before the kernel tells its exit: the more telling reason wins.
    this.#end(first === "channel-lost" && (await this.#qemuEndsItself()) ? "qemu-exited" : first);
    const exit: ExitInfo = await this.#qemu.exited;
    const helperExit = await this.#virtiofsd?.exited;
    await this.#follower?.stop();
    await (await this.#ports)?.stop();
    // Nobody need come for it: the engine's interfaces are its own again at once.
    const journal = new ConnectionJournal(join(spec.dir, VmFile.network));
    await journal.close([this.#namespace.path]).catch(() => undefined);
    this.#namespace[Symbol.dispose]();
    const reason = this.#reason ?? first;
    const record: VmExit = {
      reason,
      phase: console.phase,
      ...exit,
      ...(this.#isOutOfMemory(reason === "virtiofsd-exited" ? helperExit : exit) ? { outOfMemory: true } : {}),
      stderr: stderr.lines(LAST_LINES),
      console: console.tail.lines(LAST_LINES),
    };
    writeRecord(join(spec.dir, VmFile.exit), record);
    return record;
  }

  #isOutOfMemory(exit: ExitInfo | undefined): boolean {
    if (this.#reason === "stopped" || exit?.signal !== "SIGKILL") return false;
    return (this.#surroundings.oomFiles ?? []).some(countsKills);
  }

  async #qemuEndsItself(): Promise<boolean> {
    const patience = AbortSignal.timeout(SETTLE_MS);
    const late: Promise<false> = new Promise((resolve) => {
      patience.addEventListener("abort", () => {
        resolve(false);
      });
    });
    return Promise.race([this.#qemu.exited.then(() => true), late]);
  }

  #end(reason: VmExit["reason"]): void {
    this.#reason ??= reason;
    this.#relay.close();
    // Asked to end, QEMU takes longer, and does no more: what its guest was told is written has been handed to the kernel.
    this.#qemu.child.kill("SIGKILL");
    this.#virtiofsd?.child.kill("SIGTERM");
    const timer = setTimeout(() => this.#virtiofsd?.child.kill("SIGKILL"), STOP_DEADLINE_MS);
    void this.#virtiofsd?.exited.then(() => {
      clearTimeout(timer);
    });
  }
}

/** Ours to the guest, and whom the guest may ask over it. */
interface Channel {
  readonly relay: Relay;
  readonly dns: DnsForwarder;
}

async function openChannel(spec: VmSpec): Promise<Channel> {
  const dns = new DnsForwarder(spec);
  const sockets = { listenSocket: spec.proxySocket, muxSocket: spec.vm.agentSocket };
  return {
    dns,
    relay: await Relay.start({ ...sockets, onGuestStream: (stream) => void serveGuestStream(stream, dns) }),
  };
}

/** Where the directory is gone or the disk is full, the VM goes on, and its end is still told to those that wait. */
function writeRecord(path: string, record: VmExit | BootTimeline): void {
  try {
    writeFileSync(path, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  } catch {
    return;
  }
}

function noteProcesses(spec: VmSpec, processes: VmProcesses): void {
  writeFileSync(join(spec.dir, VmFile.processes), `${JSON.stringify(processes)}\n`, { mode: 0o600 });
}

function collectStderr(processes: Processes): Tail {
  const tail = new Tail(16 * 1024);
  for (const process of [processes.qemu, processes.virtiofsd]) {
    process?.child.stderr?.on("data", (chunk: Buffer) => {
      tail.push(chunk);
    });
  }
  return tail;
}

/**
 * virtiofsd in Rust goes on without a thread that has panicked: it would answer nothing any more, and what touches a file
 * in the guest would wait for ever. Its end is the VM's, with its words in the record.
 */
function endAtPanic({ child }: TiedProcess): void {
  child.stderr?.on("data", (chunk: Buffer) => {
    if (chunk.includes("' panicked at ")) child.kill("SIGKILL");
  });
}

function keepConsole(spec: VmSpec, qemu: TiedProcess): GuestConsole {
  const { stdout } = qemu.child;
  if (stdout === null) throw new Error("QEMU was started without its console");
  return new GuestConsole(stdout, join(spec.dir, VmFile.console), (timeline) => {
    writeRecord(join(spec.dir, VmFile.boot), timeline);
  });
}
