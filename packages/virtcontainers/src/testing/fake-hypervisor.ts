import { type ChildProcess, spawn } from "node:child_process";
import { identifyProcess, isAlive, signalProcess } from "@kata-ts/linux";
import type { VmExit } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import type { BootRequest, Hypervisor, NicBackend, PluggedNic, Vm, VmState } from "../ports/hypervisor.ts";

/** Hypervisor without virtual machines: each "VM" is an idle process, so that its life and death are the OS's. */
export class FakeHypervisor implements Hypervisor {
  /** What is shared now, by VM directory and name. */
  readonly shared: Map<string, Map<string, string>> = new Map();
  /** Makes the next boot fail. */
  failure: Error | undefined;
  #serial = 0;

  async boot(request: BootRequest): Promise<Vm> {
    if (this.failure !== undefined) throw this.failure;
    const child = spawn("/bin/sleep", ["1000"], { stdio: "ignore", detached: true });
    const identity = identifyProcess(child.pid ?? 0);
    const dir = `/fake/${request.sandboxId}/${String(this.#serial++)}`;
    this.shared.set(dir, new Map());
    const state = { dir, agentUrl: `fake://${dir}`, processes: [identity], qemu: identity, accelerator: "fake" };
    return new FakeVm(state, this.shared, child);
  }

  reopen(state: VmState): Vm {
    return new FakeVm(state, this.shared, undefined);
  }
}

class FakeVm implements Vm {
  readonly state: VmState;
  readonly ended: Promise<VmExit | undefined>;
  readonly #shared: Map<string, Map<string, string>>;
  readonly #child: ChildProcess | undefined;

  constructor(state: VmState, shared: Map<string, Map<string, string>>, child: ChildProcess | undefined) {
    this.state = state;
    this.#shared = shared;
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child?.once("exit", () => {
        resolve(undefined);
      });
    });
  }

  isRunning(): boolean {
    return isAlive(this.state.qemu);
  }

  commit(): void {
    this.#child?.unref();
  }

  async plugSharedTree(): Promise<{ driver: string; mount_point: string }> {
    return { driver: "virtio-fs", mount_point: "/fake" };
  }

  async plugNic(id: string, _backend: NicBackend, others: readonly PluggedNic[]): Promise<PluggedNic> {
    const port = others.length + 1;
    return { id, rootPort: `rp${String(port)}`, pciPath: `1${String(port)}/00` };
  }

  async unplugNic(): Promise<void> {
    return undefined;
  }

  async share(source: string, name: string): Promise<string> {
    if (!this.isRunning()) throw new KataError("KATA_VM_GONE", `cannot share ${source}: the VM has ended`);
    this.#shared.get(this.state.dir)?.set(name, source);
    return `/fake/${name}`;
  }

  async unshare(name: string): Promise<void> {
    this.#shared.get(this.state.dir)?.delete(name);
  }

  async exit(): Promise<VmExit | undefined> {
    return undefined;
  }

  async stop(): Promise<void> {
    signalProcess(this.state.qemu, "SIGKILL");
    while (this.isRunning()) await new Promise(setImmediate);
    this.#shared.delete(this.state.dir);
  }
}
