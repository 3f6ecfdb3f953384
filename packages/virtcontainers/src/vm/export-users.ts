import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type FileLock, lockFile } from "@kata-ts/linux";
import { flag, listOf, object, oneOf, optional, type Shape, text } from "@kata-ts/linux/shape";
import type { ShareOptions } from "../ports/hypervisor.ts";

/** A mount of a container that an export serves. */
export interface ExportUser {
  readonly exported: string;
  /** The name under which it was shared: a container's id, then which of its mounts. */
  readonly user: string;
  /** Whether it may write. */
  readonly writes: boolean;
  /** What was asked for; an earlier release has not written it down. */
  readonly source?: string | undefined;
  readonly options?: ShareOptions | undefined;
}

/** As it is written down, here and in snapshots. */
export const shareOptions: Shape<ShareOptions> = object<ShareOptions>({
  readonly: flag,
  readonlyTree: optional(flag),
  recursive: flag,
  propagation: optional(oneOf("private", "slave")),
  pinned: optional(listOf(text)),
});

const users = listOf(
  object<ExportUser>({
    exported: text,
    user: text,
    writes: flag,
    source: optional(text),
    options: optional(shareOptions),
  }),
);

const LOCK_DEADLINE_MS = 10_000;

/** Which mounts of which containers the exports of a VM serve: a file in the VM's directory, changed under a lock. */
export class ExportUsers {
  readonly #file: string;

  constructor(vmDirectory: string) {
    this.#file = join(vmDirectory, "exports.json");
  }

  /** Keeps other calls from the exports until it is disposed. */
  lock(): Promise<FileLock> {
    return lockFile(`${this.#file}.lock`, { deadlineMs: LOCK_DEADLINE_MS });
  }

  async list(): Promise<readonly ExportUser[]> {
    try {
      return users(JSON.parse(await readFile(this.#file, "utf8")), this.#file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  /** Whole or not at all: a call that is killed leaves the old list. */
  async write(list: readonly ExportUser[]): Promise<void> {
    await writeFile(`${this.#file}.new`, JSON.stringify(list), { mode: 0o600 });
    await rename(`${this.#file}.new`, this.#file);
  }
}
