import { closeSync } from "node:fs";
import { lstat, mkdir, readdir, rmdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  attachMountTree,
  cloneMountTree,
  escapeControls,
  inNamespace,
  LinuxError,
  makeTreeReadOnly,
  pinDirectory,
  setMountReadOnly,
  setTreePropagation,
  unmount,
} from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import type { ShareOptions } from "../ports/hypervisor.ts";
import type { SavedExport } from "../ports/saved-vm.ts";
import { type Export, exportOf } from "./export-of.ts";
import { type ExportUser, ExportUsers } from "./export-users.ts";
import { removedFileOf } from "./removed-file.ts";

/** What a guest may take to tell its daemon that it does not know a file any more: it does so beside its other calls. */
const FORGET_DEADLINE_MS = 2_000;
const LOOK_MS = 20;

/** Where the tree is: in its VM's mount namespace, and as the root of the file daemon's. */
export interface SharedTreePlace {
  /** The VM's. */
  readonly directory: string;
  /** The tree itself, below it. */
  readonly tree: string;
  /** A process in the VM's mount namespace. */
  readonly pid: number;
  /** The daemon that serves it, which has a mount namespace of its own; undefined where QEMU serves it. */
  readonly daemonPid: number | undefined;
}

/**
 * The directory that a guest sees. What is shared is mounted there in the VM's own mount namespace; the host's sees only
 * the empty mount points. The guest has the directory read-only, so that no link can be planted in a mount point's path.
 *
 * A file or directory of the host is mounted once, for all containers and mounts that name it. Each mount would be a file
 * system of its own to the guest: sockets, FIFOs, locks, inotify and mapped memory work within one only.
 */
export class SharedTree {
  readonly #place: SharedTreePlace;
  readonly #users: ExportUsers;

  constructor(place: SharedTreePlace) {
    this.#place = place;
    this.#users = new ExportUsers(place.directory);
  }

  /** @returns where it is, below the tree */
  async add(source: string, user: string, options: ShareOptions): Promise<string> {
    const exported = await exportOf(source, options);
    const writes = !options.readonly && options.readonlyTree !== true;
    using _lock = await this.#users.lock();
    const list = await this.#users.list();
    const others = list.filter((each) => each.exported === exported.name);
    if (others.length === 0) await this.#mount(source, exported, options);
    else if (writes && !exported.readonlyOnHost && !others.some((each) => each.writes)) {
      this.#setReadOnly(exported.name, false);
    }
    await this.#users.write([...list, { exported: exported.name, user, writes, source, options }]);
    return exported.name;
  }

  /** All that is in it. @throws KataError KATA_SNAPSHOT where an earlier release has put something there */
  async exports(): Promise<readonly SavedExport[]> {
    const { directory } = this.#place;
    return (await this.#users.list()).map(({ exported, user, source, options }) => {
      if (source !== undefined && options !== undefined) return { exported, user, source, options };
      throw new KataError("KATA_SNAPSHOT", `it is not known what ${user} of the VM in ${directory} is on the host`, {
        hint: "it was started by another release: containers that are created from now on can be saved",
      });
    });
  }

  /** As requireFound, before the guest stands still: it tells its daemon a moment later of what it does not know any more. */
  async waitUntilFound(signal: AbortSignal): Promise<void> {
    const giveUpAt = performance.now() + FORGET_DEADLINE_MS;
    while (this.#removed() !== undefined && performance.now() < giveUpAt)
      await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
    this.requireFound();
  }

  /**
   * Checks that all files that the guest knows have names: those that are open, directories that are worked in, and what is in its cache. By
   * their names the daemon of a restored guest finds them.
   *
   * @throws KataError KATA_UNSUPPORTED
   */
  requireFound(): void {
    const removed = this.#removed();
    if (removed === undefined) return;
    // Its name is the guest's word.
    const path = escapeControls(removed);
    throw new KataError(
      "KATA_UNSUPPORTED",
      `the guest uses ${path}, which was removed: a restored one could not open it anew`,
      {
        hint: "a process has it open or works in it, or it was removed on the host; with root file systems on block devices such files are saved, too",
      },
    );
  }

  #removed(): string | undefined {
    const { daemonPid } = this.#place;
    return daemonPid === undefined ? undefined : removedFileOf(daemonPid);
  }

  /** Takes back what one name has, or all names below one. Idempotent. */
  async remove(user: string): Promise<void> {
    using _lock = await this.#users.lock();
    const list = await this.#users.list();
    const goes = (each: ExportUser): boolean => each.user === user || each.user.startsWith(`${user}/`);
    const left = list.filter((each) => !goes(each));
    for (const name of new Set(list.filter(goes).map(({ exported }) => exported))) {
      const users = left.filter(({ exported }) => exported === name);
      if (users.length === 0) await this.#unmount(name);
      else if (!users.some(({ writes }) => writes)) this.#setReadOnly(name, true);
    }
    await this.#users.write(left);
  }

  async #mount(source: string, { name, isDirectory, recursive }: Export, options: ShareOptions): Promise<void> {
    const target = join(this.#place.tree, name);
    await this.#unmount(name); // A call that was killed may have left it, with nothing written down.
    if (isDirectory) await mkdir(target);
    else await writeFile(target, "", { flag: "wx" });
    const tree = cloneMountTree(source, recursive);
    try {
      // As peers of the host's mounts, those of the copy would take them along when they are unmounted.
      setTreePropagation(tree, options.propagation ?? "private");
      if (options.readonlyTree === true) makeTreeReadOnly(tree, true);
      else if (options.readonly) makeTreeReadOnly(tree, false);
      this.#inVm(() => {
        attachMountTree(tree, target);
      });
    } finally {
      closeSync(tree);
    }
    for (const each of options.pinned ?? []) this.#pin(join(name, each));
  }

  /** In QEMU's mount namespace (9p) and in the daemon's: a mount below an export does not propagate from one to the other. */
  #pin(path: string): void {
    this.#inVm(() => {
      pinDirectory(join(this.#place.tree, path));
    });
    this.#inDaemon(() => {
      pinDirectory(join("/", path));
    });
  }

  async #unmount(name: string): Promise<void> {
    const target = join(this.#place.tree, name);
    if ((await lstat(target).catch(() => undefined)) === undefined) return;
    try {
      this.#inVm(() => {
        unmount(target);
      });
    } catch (error) {
      if (!(error instanceof LinuxError && error.errno === "EINVAL")) throw error; // Not mounted.
    }
    await removeMountPoints(target);
  }

  /** The daemon's copy of a mount has taken its flags when it was made. */
  #setReadOnly(name: string, readonly: boolean): void {
    this.#inVm(() => {
      setMountReadOnly(join(this.#place.tree, name), readonly);
    });
    this.#inDaemon(() => {
      setMountReadOnly(`/${name}`, readonly);
    });
  }

  #inDaemon(body: () => void): void {
    const { daemonPid } = this.#place;
    if (daemonPid !== undefined) inNamespace("mnt", `/proc/${String(daemonPid)}/ns/mnt`, body);
  }

  #inVm(body: () => void): void {
    inNamespace("mnt", `/proc/${String(this.#place.pid)}/ns/mnt`, body);
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

/** Another call that deletes the same container may have been faster. */
function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
