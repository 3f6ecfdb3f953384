import { existsSync } from "node:fs";
import { mkdir, readdir, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type FileLock, lockFile } from "@kata-ts/linux";
import { KataError } from "../errors.ts";

const LOCK_DEADLINE_MS = 10_000;

/** The containers that live in a VM, as empty files in its directory. The last one to leave has to end it. */
export class VmMembers {
  readonly #directory: string;
  readonly #lockFile: string;

  constructor(vmDirectory: string) {
    this.#directory = join(vmDirectory, "members");
    this.#lockFile = join(vmDirectory, "members.lock");
  }

  /** For a new VM. */
  async prepare(): Promise<void> {
    await mkdir(this.#directory, { mode: 0o700 });
  }

  /** @throws KataError KATA_VM_GONE when the last one has left already */
  async join(id: string): Promise<void> {
    using lock = await this.#lock();
    if (lock === undefined || !existsSync(this.#directory)) {
      throw new KataError("KATA_VM_GONE", `container ${id} comes too late: the VM of its sandbox is being ended`);
    }
    await writeFile(join(this.#directory, id), "", { mode: 0o600 });
  }

  /** Idempotent. @returns whether no member is left; none can join from then on */
  async leave(id: string): Promise<boolean> {
    using lock = await this.#lock();
    if (lock === undefined || !existsSync(this.#directory)) return true;
    await rm(join(this.#directory, id), { force: true });
    if ((await readdir(this.#directory)).length > 0) return false;
    await rmdir(this.#directory);
    return true;
  }

  async list(): Promise<readonly string[]> {
    return await readdir(this.#directory).catch(() => []);
  }

  /** Undefined when the VM's directory is gone. */
  async #lock(): Promise<FileLock | undefined> {
    try {
      return await lockFile(this.#lockFile, { deadlineMs: LOCK_DEADLINE_MS });
    } catch (error) {
      if (existsSync(this.#directory)) throw error;
      return undefined;
    }
  }
}
