import { chmodSync, chownSync, closeSync, mkdirSync, openSync, statSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  attachMountTree,
  changeRoot,
  cloneMountTree,
  createMemoryFileSystem,
  deviceNumber,
  inNewNamespace,
  makeNode,
  makeTreeHarmless,
  pivotInto,
  setTreePropagation,
} from "@kata-ts/linux";
import type { HostTrees } from "./host-trees.ts";

/** QEMU's root directory, in that of its mount namespace: beside it is what a VM needs there and QEMU does not see. */
export const QEMU_ROOT = "/qemu";
/** The guest's memory, where it is a file: in QEMU's root directory. */
export const MEMORY_FILE = "/memory";

/** For directories, nodes and links: what a file system in memory counts for them is little. */
const SMALL_FILES = 1024 ** 2;

export interface QemuRootOptions {
  /** QEMU's, as user and group. */
  readonly user: number;
  readonly trees: HostTrees;
  /** Bytes of a file for the guest's memory; 0: it has none. */
  readonly memoryBytes: number;
}

export interface QemuRootPlace {
  /** Any directory: in the namespace of QEMU it is the root, and nowhere else anything. */
  readonly directory: string;
  /** A mount that is to be at its own path in QEMU's mount namespace, outside of QEMU's root directory. */
  readonly kept?: string;
}

/**
 * The file system that one QEMU sees: what it needs of the host read-only, a few devices, and nothing that it could write to
 * but its guest's memory. It is in memory, has no place on the host, and goes with QEMU.
 */
export class QemuRoot implements Disposable {
  readonly #fileSystem: number;
  readonly #trees: HostTrees;

  constructor({ user, trees, memoryBytes }: QemuRootOptions) {
    this.#trees = trees;
    this.#fileSystem = createMemoryFileSystem(memoryBytes + SMALL_FILES);
    try {
      this.#makeDirectory(QEMU_ROOT);
      for (const [path, target] of trees.links) symlinkSync(target, this.#inside(path));
      for (const path of [...trees.readable, ...trees.writable]) this.#makeMountPoint(path);
      for (const path of trees.devices) this.#makeDevice(path, user);
      if (memoryBytes > 0) this.#makeMemory(user);
    } catch (error) {
      closeSync(this.#fileSystem);
      throw error;
    }
  }

  /** A descriptor of the guest's memory, to be closed. */
  openMemory(): number {
    return openSync(this.#inside(MEMORY_FILE), "r+");
  }

  /**
   * Runs a function with this as the calling thread's root, in a new mount namespace that holds nothing else. What it starts
   * stays there. Mounts of the calling thread's namespace must propagate nowhere.
   */
  run<T>({ directory, kept }: QemuRootPlace, body: () => T): T {
    return inNewNamespace("mnt", () => {
      const mounts = this.#cloneTrees();
      try {
        if (kept !== undefined) {
          this.#makeDirectory(kept);
          mounts.push({ tree: cloneMountTree(kept, false), target: kept });
        }
        attachMountTree(this.#fileSystem, directory);
        for (const { tree, target } of mounts) attachMountTree(tree, join(directory, target));
        pivotInto(directory);
        changeRoot(QEMU_ROOT);
        return body();
      } finally {
        for (const { tree } of mounts) closeSync(tree);
      }
    });
  }

  [Symbol.dispose](): void {
    closeSync(this.#fileSystem);
  }

  #cloneTrees(): { tree: number; target: string }[] {
    const mounts: { tree: number; target: string }[] = [];
    const clone = (path: string, prepare: (tree: number) => void): void => {
      const tree = cloneMountTree(path, true);
      mounts.push({ tree, target: join(QEMU_ROOT, path) });
      setTreePropagation(tree, "private");
      prepare(tree);
    };
    try {
      for (const path of this.#trees.readable) clone(path, makeTreeHarmless);
      for (const path of this.#trees.writable) clone(path, () => undefined);
      return mounts;
    } catch (error) {
      for (const { tree } of mounts) closeSync(tree);
      throw error;
    }
  }

  /** @param path in QEMU's root directory */
  #inside(path: string): string {
    return this.#at(join(QEMU_ROOT, path));
  }

  #at(path: string): string {
    return join(`/proc/self/fd/${String(this.#fileSystem)}`, path);
  }

  /** With those above it. The calling process's mask of modes does not count. */
  #makeDirectory(path: string): void {
    if (path === "/" || statSync(this.#at(path), { throwIfNoEntry: false }) !== undefined) return;
    this.#makeDirectory(dirname(path));
    mkdirSync(this.#at(path));
    chmodSync(this.#at(path), 0o755);
  }

  #makeMountPoint(path: string): void {
    const isDirectory = statSync(path).isDirectory();
    this.#makeDirectory(join(QEMU_ROOT, isDirectory ? path : dirname(path)));
    if (!isDirectory) closeSync(openSync(this.#inside(path), "a", 0o444));
  }

  /** A node of its own has an owner of its own: on the host /dev/kvm stays as it is. */
  #makeDevice(path: string, user: number): void {
    this.#makeDirectory(join(QEMU_ROOT, dirname(path)));
    makeNode(this.#inside(path), "character", deviceNumber(path));
    chownSync(this.#inside(path), user, user);
  }

  #makeMemory(user: number): void {
    closeSync(openSync(this.#inside(MEMORY_FILE), "wx", 0o600));
    chownSync(this.#inside(MEMORY_FILE), user, user);
  }
}
