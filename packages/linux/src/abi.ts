/** The system calls that are called by their number: glibc 2.36 has no function for them, or none of the kernel's own form. */
export type NumberedCall =
  | "fsconfig"
  | "fsmount"
  | "fsopen"
  | "getdents64"
  | "mount_setattr"
  | "move_mount"
  | "open_tree"
  | "openat2"
  | "pidfd_getfd"
  | "pidfd_open"
  | "pivot_root";

/** Structures of which this package makes the bytes itself, and glibc's that only glibc may look into. */
export type SizedStructure =
  | "cmsghdr"
  | "ifreq"
  | "mount_attr"
  | "open_how"
  | "posix_spawn_file_actions_t"
  | "posix_spawnattr_t"
  | "sigset_t"
  | "sockaddr_vm"
  | "statx"
  | "termios"
  | "timex";

/** What an architecture's kernel and glibc expect of a caller that no compiler helps. */
export interface Abi {
  readonly calls: Readonly<Record<NumberedCall, number>>;
  /** In bytes, by sizeof. */
  readonly sizes: Readonly<Record<SizedStructure, number>>;
}

/** What 64-bit little-endian architectures of Linux and glibc have in common. */
const SIZES: Abi["sizes"] = {
  cmsghdr: 16,
  ifreq: 40,
  mount_attr: 32,
  open_how: 24,
  posix_spawn_file_actions_t: 80,
  posix_spawnattr_t: 336,
  sigset_t: 128,
  sockaddr_vm: 16,
  statx: 256,
  termios: 60,
  timex: 208,
};

/** Calls newer than Linux 5.1 have one number on all architectures. */
const SINCE_5_1 = {
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  pidfd_open: 434,
  openat2: 437,
  pidfd_getfd: 438,
  mount_setattr: 442,
} as const;

/** From arch/x86/entry/syscalls/syscall_64.tbl, and scripts/syscall.tbl for the others; by `process.arch`. */
const ABIS: Readonly<Record<string, Abi>> = {
  x64: {
    calls: { getdents64: 217, pivot_root: 155, ...SINCE_5_1 },
    sizes: SIZES,
  },
  arm64: {
    calls: { getdents64: 61, pivot_root: 41, ...SINCE_5_1 },
    sizes: SIZES,
  },
};

/** @throws Error for an architecture whose numbers are not known: a guess would call something else */
export function abiOf(architecture: string): Abi {
  const abi = ABIS[architecture];
  if (abi === undefined) {
    throw new Error(
      `native calls are not known for the architecture ${architecture}: only for ${Object.keys(ABIS).join(" and ")}`,
    );
  }
  return abi;
}

export function callNumber(name: NumberedCall): number {
  return abiOf(process.arch).calls[name];
}

/** Zeros, as many as a structure has bytes. */
export function zeroed(structure: SizedStructure): Buffer {
  return Buffer.alloc(abiOf(process.arch).sizes[structure]);
}
