import { setTimeout as delay } from "node:timers/promises";
import { signalProcess } from "@kata-ts/linux";
import {
  type AllPorts,
  type ContainerId,
  continueContainer,
  endSandbox,
  followNetwork,
  KataError,
  reasonOf,
  type Vm,
  watchOom,
} from "@kata-ts/virtcontainers";
import type { BundleContainer } from "../create-from-bundle.ts";
import type { OwnPorts } from "./own-ports.ts";

/** The VM's supervisor records how it has ended a moment after its connections have. */
const END_DEADLINE_MS = 3_000;
/** What the kernel may take to end a monitor with all of a guest's memory. */
const KILL_DEADLINE_MS = 10_000;

/** Facts about a VM. */
export interface PodVmListener {
  /** A container has run out of its memory in the guest. */
  readonly onOom: (containerId: string) => void;
  readonly onEnd: (exit: Awaited<Vm["ended"]>) => void;
}

/** The VM of a pod whose first container was made. While it runs, its network and its guest's memory are watched. */
export class PodVm {
  /** The pod's: its first container's. */
  readonly id: ContainerId;
  /** What all operations on the pod's containers work through. */
  readonly ports: AllPorts;
  readonly own: OwnPorts;
  readonly #vm: Vm;

  constructor(id: ContainerId, created: BundleContainer, own: OwnPorts, { onOom, onEnd }: PodVmListener) {
    const { environment, record, configuration } = created;
    const vm = own.vm();
    if (vm === undefined || record.vm === undefined) throw new KataError("KATA_STATE", `pod ${id} has no VM`);
    this.id = id;
    this.ports = environment;
    this.own = own;
    this.#vm = vm;
    const { network, newNetworkNamespace } = configuration;
    const hasNetwork = network.follow && newNetworkNamespace && network.model !== "none";
    const follower = hasNetwork ? followNetwork(id, record.vm, environment) : undefined;
    const agent = environment.connectAgent(record.vm.agentUrl);
    const over = new AbortController();
    void watchOom(agent, () => true, { signal: over.signal, onOom });
    void vm.ended.then((exit) => {
      over.abort();
      agent.close();
      follower?.[Symbol.dispose]();
      environment.cgroups.moveToRoot(process.pid); // The program that removes the pod's cgroup may be another one.
      onEnd(exit);
    });
  }

  /** Ends it, with all that runs in it. Idempotent. */
  stop(): Promise<void> {
    return endSandbox(this.#vm, this.ports);
  }

  /** It goes on once its monitor answers that had hung while it was saved. Never rejects. */
  async goOnLater(): Promise<void> {
    await continueContainer(this.id, this.ports).catch((error: unknown) => {
      if (this.#vm.isRunning()) this.ports.warn(`the VM of ${this.id} stands still: ${reasonOf(error)}`);
    });
  }

  /**
   * Ends it as it is: a guest that stands still writes nothing to its disks, and its processes are as if killed.
   *
   * @throws KataError KATA_STATE where it does not end, even by SIGKILL
   */
  async kill(deadlineMs: number = KILL_DEADLINE_MS): Promise<void> {
    const { vmm } = this.#vm.state;
    signalProcess(vmm, "SIGKILL");
    const isOver = this.#vm.ended.then(() => true);
    if (await Promise.race([isOver, delay(deadlineMs, false, { ref: false })])) return;
    throw new KataError(
      "KATA_STATE",
      `the VM of ${this.id} does not end, even by SIGKILL of process ${String(vmm.pid)}`,
      {
        hint: "that hangs in the kernel: look at its state with ps, then delete the container",
      },
    );
  }

  /** Whether the host's kernel has ended it for its memory; to be asked once its guest was lost. */
  async ranOutOfMemory(): Promise<boolean> {
    const exit = await Promise.race([this.#vm.ended, delay(END_DEADLINE_MS, undefined, { ref: false })]);
    return exit?.outOfMemory === true;
  }
}
