import { closeSync, constants, fstatSync, openSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { inNamespace, inNewNamespace, MountFlag, mount, networkNamespaceCookie, unmount } from "@kata-ts/linux";
import { NetnsError } from "./errors.ts";

/** What makes a namespace the same, whatever path leads to it. */
export interface NamespaceIdentity {
  readonly dev: number;
  readonly ino: number;
  /**
   * In decimal digits. The inode of a namespace that has ended is given to a later one, the cookie is not; a kernel before
   * 5.14 gives none.
   */
  readonly cookie?: string;
}

/**
 * A network namespace that is kept from vanishing while this object is open. One that was made here, and neither pinned
 * nor entered by a process, ends with it.
 *
 * @example
 * using pod = NetworkNamespace.create();
 * pod.run(() => spawn("sleep", ["1000"]));
 */
export class NetworkNamespace implements Disposable {
  readonly identity: NamespaceIdentity;
  readonly #fd: number;
  #open = true;

  private constructor(fd: number, cookie: bigint | undefined) {
    this.#fd = fd;
    const { dev, ino } = fstatSync(fd);
    this.identity = { dev, ino, ...(cookie === undefined ? {} : { cookie: String(cookie) }) };
  }

  /** A new one, with nothing in it but its loopback, which is down. */
  static create(): NetworkNamespace {
    return inNewNamespace("net", () => {
      const cookie = networkNamespaceCookie();
      return new NetworkNamespace(openSync("/proc/thread-self/ns/net", constants.O_RDONLY), cookie);
    });
  }

  /** @param path such as `/run/netns/pod` or `/proc/123/ns/net`; @throws NetnsError KATA_NETNS */
  static open(path: string): NetworkNamespace {
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDONLY);
    } catch (error) {
      throw notThere(path, error);
    }
    try {
      return new NetworkNamespace(fd, inNamespace("net", `/proc/self/fd/${String(fd)}`, networkNamespaceCookie));
    } catch (error) {
      closeSync(fd);
      throw new NetnsError("KATA_NETNS", `${path} is not a network namespace`, { cause: error });
    }
  }

  /** @throws NetnsError KATA_NETNS when the path leads nowhere */
  static identify(path: string): NamespaceIdentity {
    return identityOf(path);
  }

  /** Leads to it, for this process and for others of this host, while this object is open. */
  get path(): string {
    return `/proc/${String(process.pid)}/fd/${String(this.#fd)}`;
  }

  /** Runs a synchronous function with the calling thread inside. A child that it spawns stays there. */
  run<T>(body: () => T): T {
    return inNamespace("net", this.path, body);
  }

  /** Gives it a name in the file system, as `ip netns add` does: it stays until `removeNamespace`. */
  pin(path: string): void {
    writeFileSync(path, "", { flag: "wx" });
    try {
      mount(this.path, path, null, MountFlag.bind);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }
}

/** Takes a pinned namespace's name away. Processes in it keep it; so goes a name that leads to none. Idempotent. */
export function removeNamespace(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return;
  if (isNetworkNamespace(path)) unmount(path);
  rmSync(path, { force: true });
}

/** The file system that the kernel shows namespaces in. */
const NSFS_MAGIC = 0x6e736673;

/** Whether a path leads to a namespace now: a file may have its name that a crash or a reboot has left. */
export function isNetworkNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC;
  } catch {
    return false;
  }
}

/**
 * Runs a synchronous function with the calling thread in a network namespace. A child that it spawns stays there.
 *
 * @param path such as `/run/netns/pod`
 */
export function inNetworkNamespace<T>(path: string, body: () => T): T {
  return inNamespace("net", path, body);
}

/** Whether two paths name one network namespace. Engines write host networking as a path to their own. */
export function sameNetworkNamespace(one: string, other: string): boolean {
  return isNamespace(one, identityOf(other));
}

/** Whether a path leads to this namespace; false where it leads nowhere. */
export function isNamespace(path: string, { dev, ino, cookie }: NamespaceIdentity): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.ino !== ino || found.dev !== dev) return false;
  return cookie === undefined || cookieOf(path) === cookie;
}

function cookieOf(path: string): string | undefined {
  try {
    return String(inNamespace("net", path, networkNamespaceCookie));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined; // Gone since it was looked at.
    throw error;
  }
}

function identityOf(path: string): NamespaceIdentity {
  try {
    const { dev, ino } = statSync(path);
    return { dev, ino };
  } catch (error) {
    throw notThere(path, error);
  }
}

function notThere(path: string, cause: unknown): NetnsError {
  return new NetnsError("KATA_NETNS", `network namespace ${path}: ${(cause as NodeJS.ErrnoException).code ?? "?"}`, {
    cause,
    hint: "it must exist, and stay, before a container is created in it",
  });
}
