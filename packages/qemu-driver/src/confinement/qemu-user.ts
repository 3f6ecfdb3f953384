import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { isUserInUse, tryLockFile } from "@kata-ts/linux";
import { QemuError } from "../errors.ts";
import type { Confinement } from "./confinement.ts";

/** The users of one VM alone, until it is disposed or this process ends. */
export interface QemuUser extends Disposable {
  /** QEMU's. The next one is for the guest's kata-shims, the one after it for kata-proxy: none can touch another's processes. */
  readonly id: number;
}

const USERS_OF_A_VM = 3;

/**
 * Takes the three lowest ids of the range that no VM has. The kernel gives the lock back with the process that holds it, however
 * that ends; a QEMU that is ended at that moment may still be there, and keeps others from its id until it is gone.
 *
 * @throws QemuError KATA_SPAWN where all are taken
 */
export async function takeQemuUser({ users, locks }: Confinement): Promise<QemuUser> {
  mkdirSync(locks, { recursive: true, mode: 0o700 });
  for (let id = users.first; id + USERS_OF_A_VM - 1 <= users.last; id += USERS_OF_A_VM) {
    const lock = await tryLockFile(join(locks, `${String(id)}.lock`));
    if (lock === undefined) continue;
    if (!isInUse(id))
      return {
        id,
        [Symbol.dispose]: () => {
          lock[Symbol.dispose]();
        },
      };
    lock[Symbol.dispose]();
  }
  const range = `${String(users.first)}-${String(users.last)}`;
  throw new QemuError("KATA_SPAWN", `no user is left for another QEMU: all of ${range} are taken (see \`vm_users\`)`);
}

/** @param first of those of one VM */
function isInUse(first: number): boolean {
  return isUserInUse(Array.from({ length: USERS_OF_A_VM }, (_, index) => first + index));
}
