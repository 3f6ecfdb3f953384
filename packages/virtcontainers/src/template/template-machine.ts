import { type FileHandle, open } from "node:fs/promises";
import { copySparse, Relay } from "@kata-ts/proxy";
import {
  inOwnMountNamespace,
  PreparedQemu,
  type QemuStartOptions,
  QmpClient,
  saveMachine,
  Tail,
  type TiedProcess,
  type VmConfig,
} from "@kata-ts/qemu-driver";
import { KataError } from "../errors.ts";
import type { VmDirectory } from "../hypervisor/vm-directory.ts";
import type { SavedGuest } from "./templates.ts";

const CONSOLE_BYTES = 64 * 1024;
const SHOWN_LINES = 10;
/** What the agent says when it waits for the next host: a clone's has to find it so. */
const DISCONNECTED = "kata-agent: the host disconnected";
const DISCONNECT_DEADLINE_MS = 10_000;

type Confined = Pick<QemuStartOptions, "confinement">;

/** A guest that is booted only to be saved: QEMU and the channel to its agent, which end with this process. */
export class TemplateMachine implements AsyncDisposable {
  readonly agentUrl: string;
  /** Rejects when QEMU ends. */
  readonly lost: Promise<never>;
  readonly #qemu: TiedProcess;
  readonly #relay: Relay;
  readonly #qmpSocket: string;
  readonly #prepared: PreparedQemu;
  readonly #console = new Tail(CONSOLE_BYTES);
  readonly #stderr = new Tail(CONSOLE_BYTES);
  readonly #hostLeft = Promise.withResolvers<void>();

  private constructor(vm: VmConfig, directory: VmDirectory, relay: Relay, prepared: PreparedQemu) {
    this.#relay = relay;
    this.#prepared = prepared;
    this.#qmpSocket = vm.qmpSocket;
    this.agentUrl = `unix://${directory.proxySocket}`;
    this.#qemu = inOwnMountNamespace(() => prepared.start({ directory: directory.path }));
    const { stdout, stderr } = this.#qemu.child;
    stdout?.on("data", (chunk: Buffer) => {
      this.#console.push(chunk);
      if (this.#console.text().includes(DISCONNECTED)) this.#hostLeft.resolve();
    });
    stderr?.on("data", (chunk: Buffer) => {
      this.#stderr.push(chunk);
    });
    this.lost = this.#qemu.exited.then(() => {
      const said = [...this.#stderr.lines(SHOWN_LINES), ...this.#console.lines(SHOWN_LINES)].join(" | ");
      throw new KataError("KATA_BOOT", `the guest that a template was to be made of ended: ${said}`);
    });
    this.lost.catch(() => undefined);
  }

  static async start(vm: VmConfig, directory: VmDirectory, confined: Confined): Promise<TemplateMachine> {
    const prepared = await PreparedQemu.prepare(vm, { ...confined, ownMemory: true });
    let relay: Relay | undefined;
    try {
      relay = await Relay.start({ listenSocket: directory.proxySocket, muxSocket: vm.agentSocket });
      return new TemplateMachine(vm, directory, relay, prepared);
    } catch (error) {
      relay?.close();
      prepared[Symbol.dispose]();
      throw error;
    }
  }

  /** Lets go of the agent, stops the guest, and writes it down. It is of no further use. */
  async save(template: SavedGuest): Promise<void> {
    this.#relay.close();
    await withDeadline(this.#hostLeft.promise);
    await using qmp = await QmpClient.connect(this.#qmpSocket);
    await using state = await open(template.state, "wx", 0o600);
    await saveMachine(qmp, state.fd);
    await using memory = await open(template.memory, "wx", 0o600);
    await this.#copyMemory(memory);
  }

  async #copyMemory(target: FileHandle): Promise<void> {
    const { memory } = this.#prepared;
    if (memory === undefined) throw new KataError("KATA_BOOT", "the guest of a template has no memory of its own");
    await copySparse(`/proc/${String(process.pid)}/fd/${String(memory)}`, target.fd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#relay.close();
    this.#qemu.child.kill("SIGKILL");
    await this.#qemu.exited;
    this.#prepared[Symbol.dispose]();
  }
}

async function withDeadline(done: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new KataError("KATA_AGENT", "the agent did not notice that its host has left"));
  }, DISCONNECT_DEADLINE_MS);
  try {
    await Promise.race([done, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
