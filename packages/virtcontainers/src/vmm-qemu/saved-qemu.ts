import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { inOwnMountNamespace, type TiedProcess } from "@kata-ts/linux";
import { copySparse } from "@kata-ts/proxy";
import { PreparedQemu, type QemuDescription, QmpClient, saveMachine } from "@kata-ts/qemu-driver";
import { KataError } from "../errors.ts";
import type { SavableMachine } from "../ports/vmm.ts";
import type { SavedGuest } from "../template/saved-guest.ts";

/** A QEMU that is started only to be saved, with its guest's memory in this process's hands. */
export class SavedQemu implements SavableMachine {
  readonly console: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<unknown>;
  readonly #qemu: TiedProcess;
  readonly #prepared: PreparedQemu;
  readonly #qmpSocket: string;

  private constructor(prepared: PreparedQemu, qemu: TiedProcess, qmpSocket: string) {
    const { stdout, stderr } = qemu.child;
    if (stdout === null || stderr === null) throw new Error("QEMU was started without its console");
    this.#prepared = prepared;
    this.#qemu = qemu;
    this.#qmpSocket = qmpSocket;
    this.console = stdout;
    this.stderr = stderr;
    this.exited = qemu.exited;
  }

  /** @param directory the VM's; @throws QemuError, LinuxError; nothing is left then */
  static async start({ vm, confinement }: QemuDescription, directory: string): Promise<SavedQemu> {
    const prepared = await PreparedQemu.prepare(vm, { confinement, ownMemory: true });
    try {
      const qemu = inOwnMountNamespace(() => prepared.start({ directory }));
      return new SavedQemu(prepared, qemu, vm.qmpSocket);
    } catch (error) {
      prepared[Symbol.dispose]();
      throw error;
    }
  }

  async save(saved: SavedGuest): Promise<void> {
    await using qmp = await QmpClient.connect(this.#qmpSocket);
    await using state = await open(saved.state, "wx", 0o600);
    await saveMachine(qmp, state.fd);
    await using memory = await open(saved.memory, "wx", 0o600);
    await this.#copyMemory(memory);
  }

  async #copyMemory(target: FileHandle): Promise<void> {
    const { memory } = this.#prepared;
    if (memory === undefined) throw new KataError("KATA_BOOT", "the guest of a template has no memory of its own");
    await copySparse(`/proc/${String(process.pid)}/fd/${String(memory)}`, target.fd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#qemu.child.kill("SIGKILL");
    await this.#qemu.exited;
    this.#prepared[Symbol.dispose]();
  }
}
