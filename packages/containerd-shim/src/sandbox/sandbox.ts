import type { Pod, PodSandboxRequest } from "../tasks/pod.ts";
import { alreadyExists, notFound, wrongState } from "../tasks/refusals.ts";

/** Exit statuses: containerd has stopped the VM; the VM has ended by itself. */
const STOPPED = 0;
const LOST = 255;

export interface SandboxExit {
  readonly status: number;
  readonly at: Date;
}

interface Started {
  readonly pid: number;
  readonly at: Date;
}

/** The pod's VM as containerd's sandbox: there is one in a process, or none, where a first container makes the VM. */
export class Sandbox {
  readonly #pod: Pod;
  #request: PodSandboxRequest | undefined;
  #starting: Promise<Started> | undefined;
  #started: Started | undefined;
  #exit: SandboxExit | undefined;
  #isStopped = false;
  readonly #ended: PromiseWithResolvers<SandboxExit> = Promise.withResolvers();

  constructor(pod: Pod) {
    this.#pod = pod;
    pod.onEnd(() => {
      this.#end();
    });
  }

  /** Whether containerd ends this process by it, and not by the last container. */
  get exists(): boolean {
    return this.#request !== undefined;
  }

  get started(): Started | undefined {
    return this.#started;
  }

  get exit(): SandboxExit | undefined {
    return this.#exit;
  }

  get isReady(): boolean {
    return this.#started !== undefined && this.#exit === undefined;
  }

  /** @param request made where there is none yet @throws RpcError AlreadyExists */
  create(request: () => PodSandboxRequest): void {
    if (this.#request !== undefined) throw alreadyExists(`sandbox ${this.#request.id}`);
    this.#request = request();
  }

  /** @throws RpcError NotFound for any id but its own */
  check(id: string): void {
    if (this.#request === undefined || this.#request.id !== id) throw notFound(`sandbox ${id}`);
  }

  /** Boots the VM. One that does not come up leaves nothing, and may be started again. @throws RpcError */
  async start(id: string): Promise<Started> {
    this.check(id);
    const request = this.#request;
    if (this.#starting !== undefined || this.#isStopped || request === undefined) {
      throw wrongState(`sandbox ${id} was started before`);
    }
    this.#starting = this.#pod.boot(request).then((pid) => ({ pid, at: new Date() }));
    try {
      this.#started = await this.#starting;
      return this.#started;
    } catch (error) {
      this.#starting = undefined;
      throw error;
    }
  }

  /** Ends the VM, with all that runs in it. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#starting?.catch(() => undefined);
    await this.#pod.stop();
    this.#end();
  }

  /** Resolves when it has ended. */
  wait(): Promise<SandboxExit> {
    return this.#ended.promise;
  }

  #end(): void {
    this.#exit ??= { status: this.#isStopped ? STOPPED : LOST, at: new Date() };
    this.#ended.resolve(this.#exit);
  }
}
