import { closeSync, constants, lstatSync, openSync, statSync } from "node:fs";
import { zeroed } from "./abi.ts";
import { inNewNamespace } from "./namespaces.ts";
import { call, callInThread, syscall } from "./native.ts";

export const MountFlag = {
  rdonly: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  synchronous: 16,
  remount: 32,
  dirsync: 128,
  noatime: 1024,
  nodiratime: 2048,
  bind: 4096,
  rec: 16_384,
  private: 262_144,
  slave: 524_288,
  shared: 1_048_576,
  relatime: 2_097_152,
  strictatime: 16_777_216,
} as const;

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0x8_0000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
const O_PATH = 0x20_0000;
const MOUNT_ATTR_RDONLY = 1n;
const MOUNT_ATTR_NOSUID = 2n;
const MOUNT_ATTR_NODEV = 4n;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

const MOUNT =
  "int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)";
const UNMOUNT = "int umount2(const char *target, int flags)";

/** mount(2). @param flags sum of MountFlag values */
export function mount(source: string, target: string, type: string | null, flags: number, data = ""): void {
  call(MOUNT, `${source} on ${target}`, source, target, type, flags, data === "" ? null : data);
}

/**
 * As mount(), in another thread: a file system may have to be repaired first, or its disk may be busy. In the namespace that the
 * process was started in.
 */
export async function mountInThread(
  source: string,
  target: string,
  type: string | null,
  flags: number,
  data = "",
): Promise<void> {
  await callInThread(MOUNT, `${source} on ${target}`, source, target, type, flags, data === "" ? null : data);
}

/** Detaches a mount at once, never through a symbolic link. */
export function unmount(target: string): void {
  call(UNMOUNT, target, target, MNT_DETACH | UMOUNT_NOFOLLOW);
}

/**
 * As unmount(), in another thread: with its last mount a file system writes to its disk what waits for that, and an overlay all
 * that waits on the disk of its upper directory. In the namespace that the process was started in.
 */
export async function unmountInThread(target: string): Promise<void> {
  await callInThread(UNMOUNT, target, target, MNT_DETACH | UMOUNT_NOFOLLOW);
}

/**
 * A copy of a mount, or of the whole tree below it, that is mounted nowhere yet: a descriptor, to be closed. It can be
 * moved across mount namespaces.
 */
export function cloneMountTree(path: string, recursive: boolean): number {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
  return syscall("open_tree", "int dir, const char *path, unsigned int flags", path, AT_FDCWD, path, flags);
}

/** Makes a detached mount read-only for every process that uses it. @param recursive with every mount below it */
export function makeTreeReadOnly(tree: number, recursive: boolean): void {
  setAttributes(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), { set: MOUNT_ATTR_RDONLY }, "read-only");
}

/** Makes a detached tree, with every mount below it, one to read from and to run programs of: no device, no raised privilege. */
export function makeTreeHarmless(tree: number): void {
  const set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  setAttributes(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, { set }, "read-only");
}

/** As makeTreeHarmless, of a tree that may be written to. */
export function forbidDevices(tree: number): void {
  const set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  setAttributes(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, { set }, "without devices");
}

/** Makes a mount point of the calling thread's mount namespace read-only or writable; the mounts below it stay as they are. */
export function setMountReadOnly(target: string, readonly: boolean): void {
  setAttributes(AT_FDCWD, target, 0, readonly ? { set: MOUNT_ATTR_RDONLY } : { clear: MOUNT_ATTR_RDONLY }, target);
}

interface MountAttributes {
  readonly set?: bigint;
  readonly clear?: bigint;
  readonly propagation?: number;
}

function setAttributes(dir: number, path: string, flags: number, change: MountAttributes, what: string): void {
  const { set = 0n, clear = 0n, propagation = 0 } = change;
  // struct mount_attr: attributes to set, to clear, propagation, user namespace.
  const attributes = zeroed("mount_attr");
  for (const [index, value] of [set, clear, BigInt(propagation)].entries())
    attributes.writeBigUInt64LE(value, index * 8);
  const parameters = "int dir, const char *path, unsigned int flags, const void *attributes, size_t size";
  syscall("mount_setattr", parameters, what, dir, path, flags, attributes, attributes.length);
}

/**
 * Cuts a detached tree off from its source: no unmount of the copy reaches the source's mounts, as it does where both are
 * peers. A `slave` still gets what is mounted below the source later; a `private` one does not.
 */
export function setTreePropagation(tree: number, propagation: "private" | "slave"): void {
  setAttributes(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, { propagation: MountFlag[propagation] }, propagation);
}

/** Mounts a detached tree on a path of the calling thread's mount namespace. */
export function attachMountTree(tree: number, target: string): void {
  const parameters = "int fromDir, const char *from, int toDir, const char *to, unsigned int flags";
  syscall("move_mount", parameters, target, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
}

/**
 * Mounts a directory on itself: no process of the calling thread's mount namespace can move or remove it then. A link in its
 * place is not followed.
 *
 * @returns false where there is no directory
 */
export function pinDirectory(path: string): boolean {
  const { O_DIRECTORY, O_NOFOLLOW } = constants;
  const directory = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!directory) return false;
  const place = openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  try {
    const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
    const tree = syscall("open_tree", "int dir, const char *path, unsigned int flags", path, place, "", flags);
    try {
      const parameters = "int fromDir, const char *from, int toDir, const char *to, unsigned int flags";
      syscall("move_mount", parameters, path, tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    } finally {
      closeSync(tree);
    }
  } finally {
    closeSync(place);
  }
  return true;
}

/** Makes a mount point of this namespace its root, and lets the old one go. */
export function pivotInto(root: string): void {
  process.chdir(root);
  syscall("pivot_root", "const char *to, const char *putOld", root, ".", ".");
  unmount(".");
  process.chdir("/");
}

/**
 * Makes a directory the root of the calling thread, of the threads that share its root with it (all of a process, unless
 * that has entered a mount namespace), and of what they start. A process without CAP_SYS_CHROOT that holds no directory of outside stays in it.
 */
export function changeRoot(root: string): void {
  call("int chroot(const char *path)", root, root);
  process.chdir("/");
}

/**
 * As changeRoot(), also where the calling thread has entered a mount namespace, and has a root of its own since then. On Node the threads
 * that were there before, its pool among them, still share theirs: one of the pool changes it for all. The pool must have run something
 * by then. Another engine makes a thread for it, which shares the calling thread's.
 */
export async function changeRootOfAllThreads(root: string): Promise<void> {
  const { dev, ino } = statSync(root);
  await callInThread("int chroot(const char *path)", root, root);
  await callInThread("int chdir(const char *path)", root, "/");
  const own = statSync("/");
  // There is no path to the root in itself.
  if (own.dev !== dev || own.ino !== ino) call("int chroot(const char *path)", root, root);
  process.chdir("/");
}

/** Runs a function with the calling thread in a copy of its mount namespace whose mounts and unmounts show nowhere else. */
export function inOwnMountNamespace<T>(body: () => T): T {
  return inNewNamespace("mnt", () => {
    mount("none", "/", null, MountFlag.rec | MountFlag.slave);
    return body();
  });
}
