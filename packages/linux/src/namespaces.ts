import { closeSync, constants, openSync } from "node:fs";
import { call, LinuxError, preload } from "./native.ts";

/** The kinds of namespace, with their clone(2) flags. */
const FLAGS = {
  mnt: 0x0002_0000,
  cgroup: 0x0200_0000,
  uts: 0x0400_0000,
  ipc: 0x0800_0000,
  pid: 0x2000_0000,
  net: 0x4000_0000,
} as const;

export type NamespaceKind = keyof typeof FLAGS;

const IOCTL = "int ioctl(int fd, unsigned long request, void *argument)";
const NS_GET_NSTYPE = 0xb703;
/** Of user and time namespaces, which are not entered here. */
const OTHERS = { user: 0x1000_0000, time: 0x80 } as const;

/** The kind of namespace that a path names, as `/proc/PID/ns` spells it; undefined for a file that is none. */
export function namespaceKindOf(path: string): NamespaceKind | keyof typeof OTHERS | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const flag = call(IOCTL, "NS_GET_NSTYPE", fd, NS_GET_NSTYPE, null);
    const kinds = Object.entries({ ...FLAGS, ...OTHERS }) as [NamespaceKind | keyof typeof OTHERS, number][];
    return kinds.find(([, value]) => value === flag)?.[0];
  } catch (error) {
    if (error instanceof LinuxError) return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
}

const CLONE_FS = 0x200;
const UNSHARE = "int unshare(int flags)";
const SETNS = "int setns(int fd, int type)";

/** Moves the calling thread into new namespaces. For `pid` only its next children are in the new one. */
export function unshare(...kinds: readonly NamespaceKind[]): void {
  let flags = 0;
  for (const kind of kinds) flags |= FLAGS[kind];
  call(UNSHARE, kinds.join("+"), flags);
}

/** Moves the calling thread for good, and what it starts from then on. Other threads (Node's pool) stay. */
export function enterNamespace(kind: Exclude<NamespaceKind, "mnt">, path: string): void {
  const target = openSync(path, constants.O_RDONLY);
  try {
    call(SETNS, path, target, FLAGS[kind]);
  } finally {
    closeSync(target);
  }
}

/**
 * Runs a function with the calling thread in another namespace, and comes back. Only synchronous calls inside are
 * there; other threads (Node's pool) never are. Node's `spawn` starts its child from the calling thread, so a child
 * started inside stays in that namespace.
 *
 * @param path such as `/proc/123/ns/net`
 */
export function inNamespace<T>(kind: NamespaceKind, path: string, body: () => T): T {
  return inOtherNamespace(kind, body, () => {
    const target = openSync(path, constants.O_RDONLY);
    try {
      call(SETNS, path, target, FLAGS[kind]);
    } finally {
      closeSync(target);
    }
  });
}

/** As inNamespace, in a namespace made for the occasion. It lives on in what the function leaves in it. */
export function inNewNamespace<T>(kind: NamespaceKind, body: () => T): T {
  return inOtherNamespace(kind, body, () => {
    unshare(kind);
  });
}

function inOtherNamespace<T>(kind: NamespaceKind, body: () => T, leave: () => void): T {
  preload([UNSHARE, SETNS]);
  const workingDirectory = kind === "mnt" ? process.cwd() : undefined;
  const home = openSync(`/proc/thread-self/ns/${kind === "pid" ? "pid_for_children" : kind}`, constants.O_RDONLY);
  try {
    // A thread that shares root and working directory with others may not enter a mount namespace.
    if (kind === "mnt") call(UNSHARE, "CLONE_FS", CLONE_FS);
    leave();
    try {
      return body();
    } finally {
      call(SETNS, `back to own ${kind} namespace`, home, FLAGS[kind]);
      if (workingDirectory !== undefined) process.chdir(workingDirectory);
    }
  } finally {
    closeSync(home);
  }
}
