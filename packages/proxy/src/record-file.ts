import { closeSync, openSync, writeSync } from "node:fs";
import type { BootTimeline } from "./guest-console.ts";
import type { VmExit } from "./vm-spec.ts";

/** A record in the VM's directory. It is opened early, by a process that may not open it later, and is empty until it is written. */
export class RecordFile<T extends VmExit | BootTimeline> {
  #fd: number | undefined;

  constructor(path: string) {
    this.#fd = openSync(path, "w", 0o600);
  }

  /** Once. Where the disk is full, the VM goes on, and its end is still told to those that wait. */
  write(record: T): void {
    if (this.#fd === undefined) return;
    try {
      writeSync(this.#fd, `${JSON.stringify(record)}\n`);
    } catch {
      // As if there had been none.
    }
    this.close();
  }

  /** Idempotent. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
