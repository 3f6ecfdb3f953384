import { closeSync } from "node:fs";
import { lstat, mkdir, readdir, rmdir, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  attachMountTree,
  cloneMountTree,
  inNamespace,
  LinuxError,
  makeTreeReadOnly,
  setTreePropagation,
  unmount,
} from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import type { ShareOptions } from "../ports/hypervisor.ts";

/**
 * The directory that a guest sees. What is shared is mounted there in the VM's own mount namespace; the host's sees only
 * the empty mount points. The guest has the directory read-only, so that no link can be planted in a mount point's path.
 */
export class SharedTree {
  readonly #dir: string;
  readonly #namespace: string;

  /** @param pid a process in the VM's mount namespace */
  constructor(dir: string, pid: number) {
    this.#dir = dir;
    this.#namespace = `/proc/${String(pid)}/ns/mnt`;
  }

  async add(source: string, name: string, options: ShareOptions): Promise<void> {
    const target = join(this.#dir, name);
    const isDirectory = (await stat(source).catch((error: unknown) => missing(source, error))).isDirectory();
    await mkdir(isDirectory ? target : dirname(target), { recursive: true });
    if (!isDirectory) await writeFile(target, "", { flag: "wx" });
    const tree = cloneMountTree(source, options.recursive);
    try {
      // As peers of the host's mounts, those of the copy would take them along when they are unmounted.
      setTreePropagation(tree, options.propagation ?? "private");
      if (options.readonlyTree === true) makeTreeReadOnly(tree, true);
      else if (options.readonly) makeTreeReadOnly(tree, false);
      inNamespace("mnt", this.#namespace, () => {
        attachMountTree(tree, target);
      });
    } finally {
      closeSync(tree);
    }
  }

  /** Idempotent. */
  async remove(name: string): Promise<void> {
    const target = join(this.#dir, name);
    if ((await lstat(target).catch(() => undefined)) === undefined) return;
    try {
      inNamespace("mnt", this.#namespace, () => {
        unmount(target);
      });
    } catch (error) {
      if (!(error instanceof LinuxError && error.errno === "EINVAL")) throw error; // Not mounted.
    }
    await removeMountPoints(target);
  }
}

/**
 * Removes mount points: empty directories and empty files, nothing else. Should anything be mounted on one after all,
 * its content stays where it is and this fails.
 */
export async function removeMountPoints(path: string): Promise<void> {
  const entry = await lstat(path).catch(() => undefined);
  if (entry === undefined) return;
  if (!entry.isDirectory()) {
    if (!entry.isFile() || entry.size > 0) throw new KataError("KATA_STATE", `${path} is not an empty mount point`);
    await unlink(path).catch(ignoreMissing);
    return;
  }
  const names = await readdir(path).catch((error: unknown): string[] => {
    ignoreMissing(error);
    return [];
  });
  for (const name of names) await removeMountPoints(join(path, name));
  await rmdir(path).catch(ignoreMissing);
}

/** Somebody else who deletes the same container may have been faster. */
function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

function missing(source: string, error: unknown): never {
  throw new KataError(
    "KATA_MOUNT_SOURCE",
    `mount source ${source}: ${(error as NodeJS.ErrnoException).code ?? "unreadable"}`,
    {
      cause: error,
      hint: "the path must exist on the host",
    },
  );
}
