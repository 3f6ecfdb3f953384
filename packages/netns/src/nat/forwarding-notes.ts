import { rmSync, statSync } from "node:fs";
import { networkNamespaceCookie } from "@kata-ts/linux";
import { enableForwarding, namespaceOf, restoreForwarding } from "./forwarding.ts";
import type { SubnetLeases } from "./lease.ts";
import { networkNamespacesInUse } from "./namespaces-in-use.ts";

const PREFIX = "forwarding-";

/**
 * The notes of a directory of leases that say of a host, which is a network namespace, that it did not forward before. Each is
 * about the calling thread's, while the leases are locked.
 */
export class ForwardingNotes {
  readonly #leases: SubnetLeases;

  constructor(leases: SubnetLeases) {
    this.#leases = leases;
  }

  /** @returns whether forwarding had to be switched on */
  enable(): boolean {
    return enableForwarding(this.#own, inodeOfOwn());
  }

  /**
   * For when no sandbox is left: the host forwards as before, and notes go whose host has ended.
   *
   * @param namespacesInUse for tests
   */
  restore(namespacesInUse: typeof networkNamespacesInUse = networkNamespacesInUse): void {
    restoreForwarding(this.#own);
    const others = this.#leases.notes(PREFIX);
    if (others.length === 0) return;
    const inUse = namespacesInUse();
    for (const note of others) {
      const namespace = namespaceOf(note);
      if (namespace === undefined || inUse?.has(namespace) === false) rmSync(note, { force: true });
    }
  }

  /** Whether there is any, of whatever host. */
  get any(): boolean {
    return this.#leases.notes(PREFIX).length > 0;
  }

  /** Its name is that of no later namespace, as an inode would be. An older kernel (before 5.14) has nothing better. */
  get #own(): string {
    const cookie = networkNamespaceCookie();
    return this.#leases.noteFile(`${PREFIX}${cookie === undefined ? `inode-${String(inodeOfOwn())}` : String(cookie)}`);
  }
}

function inodeOfOwn(): number {
  return statSync("/proc/thread-self/ns/net").ino;
}
