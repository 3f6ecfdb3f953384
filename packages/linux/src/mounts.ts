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

const SYS_PIVOT_ROOT = 155;
const SYS_OPEN_TREE = 428;
const SYS_MOVE_MOUNT = 429;
const SYS_MOUNT_SETATTR = 442;

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0x8_0000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOUNT_ATTR_RDONLY = 1n;
const MOUNT_ATTR_NOSUID = 2n;
const MOUNT_ATTR_NODEV = 4n;
const MOUNT_ATTR_SIZE = 32;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

const MOUNT =
  "int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)";

/** mount(2). @param flags sum of MountFlag values */
export function mount(source: string, target: string, type: string | null, flags: number, data = ""): void {
  call(MOUNT, `${source} on ${target}`, source, target, type, flags, data === "" ? null : data);
}

/** As mount(), in another thread, for a file system that may have to be repaired first. In the process's own namespace. */
export async function mountDevice(
  device: string,
  target: string,
  type: string,
  flags: number,
  data = "",
): Promise<void> {
  await callInThread(MOUNT, `${device} on ${target}`, device, target, type, flags, data === "" ? null : data);
}

/** Detaches a mount at once, never through a symbolic link. */
export function unmount(target: string): void {
  call("int umount2(const char *target, int flags)", target, target, MNT_DETACH | UMOUNT_NOFOLLOW);
}

/**
 * A copy of a mount, or of the whole tree below it, that is mounted nowhere yet: a descriptor, to be closed. It can be
 * moved across mount namespaces.
 */
export function cloneMountTree(path: string, recursive: boolean): number {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
  return syscall(
    "open_tree",
    SYS_OPEN_TREE,
    "int dir, const char *path, unsigned int flags",
    path,
    AT_FDCWD,
    path,
    flags,
  );
}

/** Makes a detached mount read-only, for whoever looks through it. @param recursive with every mount below it */
export function makeTreeReadOnly(tree: number, recursive: boolean): void {
  setAttributes(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), { set: MOUNT_ATTR_RDONLY }, "read-only");
}

/** Makes a detached tree, with every mount below it, one to read from and to run programs of: no device, no raised privilege. */
export function makeTreeHarmless(tree: number): void {
  const set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  setAttributes(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, { set }, "read-only");
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
  const attributes = Buffer.alloc(MOUNT_ATTR_SIZE);
  for (const [index, value] of [set, clear, BigInt(propagation)].entries())
    attributes.writeBigUInt64LE(value, index * 8);
  const parameters = "int dir, const char *path, unsigned int flags, const void *attributes, size_t size";
  syscall("mount_setattr", SYS_MOUNT_SETATTR, parameters, what, dir, path, flags, attributes, attributes.length);
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
  syscall("move_mount", SYS_MOVE_MOUNT, parameters, target, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
}

/** Makes a mount point of this namespace its root, and lets the old one go. */
export function pivotInto(root: string): void {
  process.chdir(root);
  syscall("pivot_root", SYS_PIVOT_ROOT, "const char *to, const char *putOld", root, ".", ".");
  unmount(".");
  process.chdir("/");
}

/**
 * Makes a directory the root of the calling thread, and of what it starts: for a thread that shares its root with no other,
 * as inside `inNewNamespace("mnt", …)`. A process without CAP_SYS_CHROOT that holds no directory of outside stays in it.
 */
export function changeRoot(root: string): void {
  call("int chroot(const char *path)", root, root);
  process.chdir("/");
}
