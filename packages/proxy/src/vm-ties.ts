import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { enterNamespace } from "@kata-ts/linux";
import { ConnectionJournal, NetworkNamespace } from "@kata-ts/netns";
import { type Confinement, confine } from "./confine.ts";
import type { DnsForwarder } from "./dns-forwarder.ts";
import type { GuestChannel } from "./guest-channel.ts";
import { NetworkFollower } from "./network-follower.ts";
import { countsKills, openCounts } from "./out-of-memory.ts";
import { PortForwarder } from "./port-forwarder.ts";
import { TakeBackHelper } from "./take-back.ts";
import { type VmExit, VmFile, type VmSurroundings } from "./vm-spec.ts";

/** iptables waits for a lock that all of the host's have in common. */
const PORTS_MS = 2_000;

export interface VmTiesOptions {
  /** The VM's. */
  readonly dir: string;
  readonly channel: GuestChannel;
  readonly dns: DnsForwarder;
  readonly surroundings: VmSurroundings;
  /** The monitor's. */
  readonly namespace: NetworkNamespace;
  /** Whether the calling thread is in it. */
  readonly isInside: boolean;
}

/** What ties a VM to its sandbox's surroundings on the host, from its start until all is taken back. */
export class VmTies {
  readonly #dir: string;
  readonly #channel: GuestChannel;
  readonly #dns: DnsForwarder;
  readonly #isInside: boolean;
  #surroundings: VmSurroundings;
  #namespace: NetworkNamespace;
  #follower: NetworkFollower | undefined;
  #ports: Promise<PortForwarder | undefined> | undefined;
  #oomFiles: readonly (string | number)[];
  #helper: TakeBackHelper | undefined;
  #closing = false;

  constructor({ dir, channel, dns, surroundings, namespace, isInside }: VmTiesOptions) {
    this.#dir = dir;
    this.#channel = channel;
    this.#dns = dns;
    this.#surroundings = surroundings;
    this.#namespace = namespace;
    this.#isInside = isInside;
    if (!isInside) dns.namespace = namespace.path;
    this.#oomFiles = surroundings.oomFiles ?? [];
  }

  /** For a process that does nothing else. @throws LinuxError, NetnsError when there is no such namespace */
  moveTo(surroundings: VmSurroundings): void {
    const { networkNamespace, oomFiles = [] } = surroundings;
    if (networkNamespace !== undefined) {
      const namespace = NetworkNamespace.open(networkNamespace);
      enterNamespace("net", namespace.path);
      this.#namespace[Symbol.dispose]();
      this.#namespace = namespace;
    }
    this.#surroundings = surroundings;
    this.#oomFiles = oomFiles;
    this.#dns.source = surroundings;
  }

  forwardPorts(): void {
    if (this.#surroundings.forwardLoopback !== true || this.#closing) return;
    // Without iptables there is no forwarding; everything else goes on.
    this.#ports = PortForwarder.start({
      noteFile: join(this.#dir, VmFile.ports),
      namespace: this.#isInside ? undefined : this.#namespace.path,
      openStream: () => this.#channel.openStream(),
    }).catch(() => undefined);
  }

  /** The calling thread is in the VM's network namespace. */
  followNetwork(): void {
    if (!this.#closing) this.#preparedFollower()?.follow();
  }

  /**
   * Confines this process: what needs rights or files later is prepared before.
   *
   * @throws LinuxError when the host refuses
   */
  async confine(confinement: Confinement): Promise<void> {
    await this.#channel.connected;
    await Promise.race([this.#ports, delay(PORTS_MS, undefined, { ref: false })]);
    if (this.#closing) return;
    this.#preparedFollower();
    this.#helper = new TakeBackHelper(this.#dir);
    this.#dns.keepResolvConf();
    this.#oomFiles = openCounts(this.#oomFiles.filter((file) => typeof file === "string"));
    await confine(confinement);
    if (confinement.place !== undefined) this.#channel.moveTo?.(confinement.place.agentUrl);
  }

  /** Takes back what the VM has changed, unless the process that has asked for its end does so. */
  async close(reason: VmExit["reason"]): Promise<void> {
    this.#closing = true;
    await this.#follower?.stop();
    if (this.#helper === undefined) await this.#takeBack();
    else if (reason !== "stopped") await this.#helper.takeBack("over");
    this.#namespace[Symbol.dispose]();
  }

  /** Removes the VM's directory, in which no process is interested. */
  async abandon(): Promise<void> {
    if (this.#helper === undefined) rmSync(this.#dir, { recursive: true, force: true });
    else await this.#helper.takeBack("abandoned");
  }

  /** What asked for the VM's end takes back what it has changed. A helper that outlived this process would outlive the VM. */
  async release(): Promise<void> {
    await this.#helper?.dismiss();
  }

  /** Whether the host's kernel has ended a process of the VM's cgroup for want of memory. To be asked once. */
  ranOutOfMemory(): boolean {
    return this.#oomFiles.some(countsKills);
  }

  async #takeBack(): Promise<void> {
    await (await this.#ports)?.stop();
    const journal = new ConnectionJournal(join(this.#dir, VmFile.network));
    await journal.close([this.#namespace.path]).catch(() => undefined);
  }

  #preparedFollower(): NetworkFollower | undefined {
    const { onNetworkChange } = this.#surroundings;
    if (onNetworkChange !== undefined) this.#follower ??= new NetworkFollower(onNetworkChange);
    return this.#follower;
  }
}
