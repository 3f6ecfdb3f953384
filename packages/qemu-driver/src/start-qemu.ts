import { closeSync } from "node:fs";
import { createMemoryFile, inheritedLimits, inNewNamespace, listenUnix, MountFlag, mount } from "@kata-ts/linux";
import { qemuArgv } from "./argv.ts";
import type { Confinement } from "./confinement/confinement.ts";
import { hostTrees } from "./confinement/host-trees.ts";
import { MEMORY_FILE, QemuRoot, type QemuRootPlace } from "./confinement/qemu-root.ts";
import { type QemuUser, takeQemuUser } from "./confinement/qemu-user.ts";
import { spawnTied, type TiedOptions, type TiedProcess } from "./spawn.ts";
import type { VmConfig } from "./vm-config.ts";

export interface QemuStartOptions {
  /** Absent: QEMU is the caller's user, without most capabilities, and sees the caller's files. */
  readonly confinement?: Confinement;
  /** Whether the guest's memory is a file that the caller fills or reads: `PreparedQemu.memory`. */
  readonly ownMemory?: boolean;
}

/** QEMU's first descriptors beside the usual three. */
const LISTENING = { qmp: 3, agent: 4 } as const;
const MEMORY_FD = 5;
/** Connections that wait until QEMU serves them, one at a time. */
const BACKLOG = 16;
/** More than a machine with all its disks, cards and processors has. */
const MOST_FILES = 4096;
const MOST_THREADS = 1024;
const MIB = 1024 ** 2;

/**
 * All that a QEMU is to be given, ready before it is started. Its sockets listen from now on. To be disposed, also after the
 * start; QEMU keeps what it was given.
 */
export class PreparedQemu implements Disposable {
  /** A descriptor of the guest's memory. */
  readonly memory: number | undefined;
  readonly #vm: VmConfig;
  readonly #argv: readonly string[];
  readonly #given: Disposable[];
  readonly #descriptors: readonly number[];
  readonly #sockets: readonly Disposable[];
  readonly #user: QemuUser | undefined;
  readonly #root: QemuRoot | undefined;
  readonly #limits: Readonly<Record<string, number>> = limits();
  #isStarted = false;

  private constructor(vm: VmConfig, given: Disposable[], ownMemory: boolean, user: QemuUser | undefined) {
    const keep = (descriptor: number): number => {
      given.push(closeOnce(descriptor));
      return descriptor;
    };
    this.#given = given;
    this.#user = user;
    if (user !== undefined) {
      const memoryBytes = ownMemory ? vm.memoryMiB * MIB : 0;
      this.#root = new QemuRoot({ user: user.id, trees: hostTrees(vm), memoryBytes });
      given.push(this.#root);
    }
    if (ownMemory) this.memory = keep(this.#root?.openMemory() ?? createMemoryFile("guest-memory"));
    const memoryFile = this.#root === undefined ? `/proc/self/fd/${String(MEMORY_FD)}` : MEMORY_FILE;
    this.#vm = vm;
    // All that looks at the host comes before QEMU's root directory is entered, where there is no /proc.
    this.#argv = qemuArgv({ ...vm, listening: LISTENING, ...(ownMemory ? { memoryFile } : {}) });
    const before = given.length;
    const sockets = [vm.qmpSocket, vm.agentSocket].map((path) => keep(listenUnix(path, BACKLOG)));
    this.#sockets = given.slice(before);
    this.#descriptors = [...sockets, ...(this.memory === undefined || this.#root !== undefined ? [] : [this.memory])];
  }

  /** @throws QemuError, LinuxError; nothing is left then */
  static async prepare(vm: VmConfig, { confinement, ownMemory = false }: QemuStartOptions): Promise<PreparedQemu> {
    // Over 9p it is QEMU itself that opens all files, and gives them their owners.
    const isConfined = confinement !== undefined && vm.share9p === undefined;
    const user = isConfined ? await takeQemuUser(confinement) : undefined;
    const given: Disposable[] = [];
    try {
      return new PreparedQemu(vm, given, ownMemory, user);
    } catch (error) {
      for (const each of given) each[Symbol.dispose]();
      user?.[Symbol.dispose]();
      throw error;
    }
  }

  /** In a mount namespace whose mounts propagate nowhere: see inOwnMountNamespace. QEMU's is another one. */
  start(place: QemuRootPlace): TiedProcess {
    const [user, root] = [this.#user, this.#root];
    if (user === undefined || root === undefined)
      return this.#spawn({ withoutCapabilities: this.#vm.share9p === undefined });
    const qemu = root.run(place, () => this.#spawn({ user: user.id, limits: this.#limits }));
    this.#isStarted = true;
    void qemu.exited.then(() => {
      user[Symbol.dispose]();
    });
    return qemu;
  }

  [Symbol.dispose](): void {
    for (const each of this.#given.splice(0)) each[Symbol.dispose]();
    if (!this.#isStarted) this.#user?.[Symbol.dispose]();
  }

  #spawn(options: TiedOptions): TiedProcess {
    const stdio = ["ignore", "pipe", "pipe", ...this.#descriptors] as const;
    try {
      return spawnTied(this.#vm.qemuPath, this.#argv, [...stdio], options);
    } finally {
      // They are QEMU's alone: who connects when it has ended is refused, and does not wait.
      for (const each of this.#sockets) each[Symbol.dispose]();
    }
  }
}

function closeOnce(descriptor: number): Disposable {
  let isOpen = true;
  return {
    [Symbol.dispose]: () => {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

/** Runs a function with the calling thread in a copy of its mount namespace whose mounts and unmounts show nowhere else. */
export function inOwnMountNamespace<T>(body: () => T): T {
  return inNewNamespace("mnt", () => {
    mount("none", "/", null, MountFlag.rec | MountFlag.slave);
    return body();
  });
}

/** A process may lower its limits, and needs a capability to raise them. */
function limits(): Record<string, number> {
  const inherited = inheritedLimits();
  const atMost = (name: string, most: number): number =>
    Math.min(most, Number(inherited.find(({ type }) => type === name)?.hard ?? most));
  return { core: 0, nofile: atMost("RLIMIT_NOFILE", MOST_FILES), nproc: atMost("RLIMIT_NPROC", MOST_THREADS) };
}
