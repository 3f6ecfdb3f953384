import { PassThrough } from "node:stream";
import type { CheckpointRequest } from "../src/tasks/checkpoint-request.ts";
import type { Exit, Pod, PodContainerRequest, PodProcess, PodSandboxRequest } from "../src/tasks/pod.ts";

/** A guest's process that does what the test says. */
export class FakeProcess implements PodProcess {
  readonly pid = 4242;
  readonly stdin: PassThrough = new PassThrough();
  readonly stdout: PassThrough = new PassThrough();
  readonly stderr: PassThrough = new PassThrough();
  readonly exited: Promise<Exit>;
  readonly sizes: unknown[] = [];
  readonly #exited: PromiseWithResolvers<Exit> = Promise.withResolvers();

  constructor() {
    this.exited = this.#exited.promise;
  }

  exit(status: number): void {
    this.stdout.end();
    this.stderr.end();
    this.#exited.resolve({ status, at: new Date() });
  }

  resize(size: object): void {
    this.sizes.push(size);
  }

  readerGone(output: "stdout" | "stderr"): void {
    this[output].destroy();
  }
}

/** A pod without a VM: it does as it is told, and remembers it. */
export class FakePod implements Pod {
  readonly calls: string[] = [];
  readonly processes: Map<string, FakeProcess> = new Map();
  /** What the next call is refused with. */
  failure: Error | undefined;
  /** What an exec waits for before its process is there. */
  execsWaitFor: Promise<void> = Promise.resolve();
  #onOutOfMemory: (id: string) => void = () => undefined;
  #onEnd: () => void = () => undefined;

  async boot(request: PodSandboxRequest): Promise<number> {
    await this.#note(`boot ${JSON.stringify(request)}`);
    return 4242;
  }

  stop(): Promise<void> {
    return this.#note("stop");
  }

  async create({ id, checkpoint }: PodContainerRequest): Promise<PodProcess> {
    await this.#note(checkpoint === undefined ? `create ${id}` : `restore ${id} ${checkpoint}`);
    return this.#process(id);
  }

  start(id: string): Promise<void> {
    return this.#note(`start ${id}`);
  }

  async exec(id: string, execId: string, process: { readonly args?: readonly string[] }): Promise<PodProcess> {
    await this.#note(`exec ${id} ${execId} ${process.args?.join(" ") ?? ""}`);
    await this.execsWaitFor;
    return this.#process(`${id}/${execId}`);
  }

  async signal(id: string, signal: number, { execId, all }: { execId?: string; all?: boolean }): Promise<void> {
    await this.#note(`signal ${id} ${execId ?? ""} ${String(signal)}${all === true ? " all" : ""}`);
    const process = this.processes.get(execId === undefined ? id : `${id}/${execId}`);
    if (signal === 9) process?.exit(137);
  }

  pause(id: string): Promise<void> {
    return this.#note(`pause ${id}`);
  }

  resume(id: string): Promise<void> {
    return this.#note(`resume ${id}`);
  }

  async checkpoint(id: string, { directory, exit }: CheckpointRequest): Promise<void> {
    await this.#note(`checkpoint ${id} ${directory}${exit ? " exit" : ""}`);
    if (exit) this.processes.get(id)?.exit(137);
  }

  update(id: string, resources: object): Promise<void> {
    return this.#note(`update ${id} ${JSON.stringify(resources)}`);
  }

  async stats(id: string): Promise<never> {
    await this.#note(`stats ${id}`);
    return { cgroup_stats: { pids_stats: { current: 3, limit: 0 } }, network_stats: [] } as unknown as never;
  }

  deleteExec(id: string, execId: string): void {
    this.calls.push(`delete ${id} ${execId}`);
  }

  async delete(id: string): Promise<void> {
    await this.#note(`delete ${id}`);
    this.processes.get(id)?.exit(137);
  }

  onOutOfMemory(listener: (id: string) => void): void {
    this.#onOutOfMemory = listener;
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
  }

  /** As if the VM had been killed. */
  end(): void {
    this.#onEnd();
  }

  runOutOfMemory(id: string): void {
    this.#onOutOfMemory(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#note("close");
  }

  #process(name: string): FakeProcess {
    const process = new FakeProcess();
    this.processes.set(name, process);
    return process;
  }

  #note(call: string): Promise<void> {
    this.calls.push(call);
    const { failure } = this;
    this.failure = undefined;
    return failure === undefined ? Promise.resolve() : Promise.reject(failure);
  }
}
