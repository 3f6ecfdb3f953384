import { closeSync } from "node:fs";
import {
  createMemoryFile,
  inheritedLimits,
  listenUnix,
  spawnTied,
  type TiedOptions,
  type TiedProcess,
} from "@kata-ts/linux";
import { qemuArgv } from "./argv.ts";
import type { Confinement } from "./confinement/confinement.ts";
import { hostTrees } from "./confinement/host-trees.ts";
import { MEMORY_FILE, QemuRoot, type QemuRootPlace } from "./confinement/qemu-root.ts";
import { type QemuUser, takeQemuUser } from "./confinement/qemu-user.ts";
import type { VmConfig, VsockDevice } from "./vm-config.ts";

export interface QemuStartOptions {
  /** Absent: QEMU is the caller's user, without most capabilities, and sees the caller's files. */
  readonly confinement?: Confinement | undefined;
  /** The guest's vsock device, with the caller's descriptor, which QEMU inherits under another number. */
  readonly vsock?: VsockDevice | undefined;
  /** Whether the guest's memory is a file that the caller fills or reads: `PreparedQemu.memory`. */
  readonly ownMemory?: boolean;
}

/** QEMU's first descriptor beside the usual three: its monitor's socket. */
const FIRST_FD = 3;
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

  private constructor(vm: VmConfig, given: Disposable[], options: QemuStartOptions, user: QemuUser | undefined) {
    const { ownMemory = false, vsock } = options;
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
    this.#vm = vm;
    const before = given.length;
    const paths = [vm.qmpSocket, ...(vm.serialPort === undefined ? [] : [vm.serialPort.socket])];
    const descriptors = paths.map((path) => keep(listenUnix(path, BACKLOG)));
    this.#sockets = given.slice(before);
    /** @returns the number that it has in QEMU */
    const inherited = (descriptor: number): number => FIRST_FD + descriptors.push(descriptor) - 1;
    // All that looks at the host comes before QEMU's root directory is entered, where there is no /proc.
    this.#argv = qemuArgv({
      ...vm,
      listening: { qmp: FIRST_FD, ...(vm.serialPort === undefined ? {} : { serialPort: FIRST_FD + 1 }) },
      ...(this.memory === undefined ? {} : { memoryFile: this.#memoryFile(this.memory, inherited) }),
      ...(vsock === undefined ? {} : { vsock: { ...vsock, fd: inherited(vsock.fd) } }),
    });
    this.#descriptors = descriptors;
  }

  /** @throws QemuError, LinuxError; nothing is left then */
  static async prepare(vm: VmConfig, options: QemuStartOptions): Promise<PreparedQemu> {
    const { confinement } = options;
    // Over 9p it is QEMU itself that opens all files, and gives them their owners.
    const isConfined = confinement !== undefined && vm.share9p === undefined;
    const user = isConfined ? await takeQemuUser(confinement) : undefined;
    const given: Disposable[] = [];
    try {
      return new PreparedQemu(vm, given, options, user);
    } catch (error) {
      for (const each of given) each[Symbol.dispose]();
      user?.[Symbol.dispose]();
      throw error;
    }
  }

  /** As in QemuUser; undefined where QEMU is not confined. */
  get user(): number | undefined {
    return this.#user?.id;
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

  /** Where QEMU finds its guest's memory: in its root directory, or as a descriptor that it inherits. */
  #memoryFile(memory: number, inherited: (descriptor: number) => number): string {
    return this.#root === undefined ? `/proc/self/fd/${String(inherited(memory))}` : MEMORY_FILE;
  }

  #spawn(options: TiedOptions): TiedProcess {
    const stdio = ["ignore", "pipe", "pipe", ...this.#descriptors] as const;
    try {
      return spawnTied(this.#vm.qemuPath, this.#argv, [...stdio], options);
    } finally {
      // QEMU alone holds them from now on: a client that connects after its end is refused, and does not wait.
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

/** A process may lower its limits, and needs a capability to raise them. */
function limits(): Record<string, number> {
  const inherited = inheritedLimits();
  const atMost = (name: string, most: number): number =>
    Math.min(most, Number(inherited.find(({ type }) => type === name)?.hard ?? most));
  return { core: 0, nofile: atMost("RLIMIT_NOFILE", MOST_FILES), nproc: atMost("RLIMIT_NPROC", MOST_THREADS) };
}
