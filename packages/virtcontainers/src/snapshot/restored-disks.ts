import { closeSync, openSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { copySparse } from "@kata-ts/proxy";
import type { RestoredDisk } from "../ports/saved-vm.ts";
import type { OpenSnapshot } from "./open-snapshot.ts";

/**
 * Copies of a snapshot's disks for one VM that is restored from it, on the snapshot's own file system: files without names, which
 * go with the VM. To be disposed once the VM has them.
 */
export class RestoredDisks implements Disposable {
  readonly disks: readonly RestoredDisk[];
  readonly #descriptors: readonly number[];

  private constructor(disks: readonly RestoredDisk[], descriptors: readonly number[]) {
    this.disks = disks;
    this.#descriptors = descriptors;
  }

  /**
   * @param suffix makes the names of the copies, while they have names, other ones than those of calls at the same time
   * @param signal gives up
   */
  static async copy(snapshot: OpenSnapshot, suffix: string, signal?: AbortSignal): Promise<RestoredDisks> {
    const disks: RestoredDisk[] = [];
    const descriptors: number[] = [];
    const copied = new RestoredDisks(disks, descriptors);
    try {
      for (const [number, { file, ...disk }] of snapshot.manifest.vm.disks.entries()) {
        const descriptor = createUnnamed(join(snapshot.directory, `disk${String(number)}-${suffix}`));
        descriptors.push(descriptor);
        await copySparse(snapshot.pathOf(file), descriptor, signal);
        disks.push({ ...disk, path: `/proc/${String(process.pid)}/fd/${String(descriptor)}` });
      }
      return copied;
    } catch (error) {
      copied[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.#descriptors) closeSync(descriptor);
  }
}

function createUnnamed(path: string): number {
  const descriptor = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  return descriptor;
}
