import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { removeDirectory } from "./remove.ts";

const NOTES = "/run/kata-ts/cgroup-parents";

/**
 * Directories above containers' cgroups that were made for them. Containers that come and go in any order share them, and
 * the last one takes them away: that they are ours is noted beside, before they are made. Both vanish with a reboot.
 */
export class MadeParents {
  readonly #notes: string;

  constructor(notes: string = NOTES) {
    this.#notes = notes;
  }

  /** Where no note can be written, what was made stays, as under runc: a container is not refused for that. */
  note(directories: readonly string[]): void {
    if (directories.length === 0) return;
    try {
      mkdirSync(this.#notes, { recursive: true, mode: 0o700 });
      for (const directory of directories) writeFileSync(this.#noteOf(directory), directory, { mode: 0o600 });
    } catch {
      return;
    }
  }

  /** Removes those above a directory that are noted and empty. */
  sweepAbove(directory: string): void {
    for (let path = dirname(directory); path !== dirname(path); path = dirname(path)) {
      const note = this.#noteOf(path);
      if (!existsSync(note)) continue;
      if (!removeDirectory(path)) return;
      rmSync(note, { force: true });
    }
  }

  #noteOf(directory: string): string {
    return join(this.#notes, createHash("sha256").update(directory).digest("hex"));
  }
}
