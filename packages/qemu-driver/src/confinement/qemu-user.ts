import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { tryLockFile } from "@kata-ts/linux";
import { QemuError } from "../errors.ts";
import type { Confinement } from "./confinement.ts";

/** A user of one QEMU alone, until it is disposed or this process ends. */
export interface QemuUser extends Disposable {
  readonly id: number;
}

/**
 * Takes the lowest id of the range that no QEMU has. The kernel gives the lock back with the process that holds it, however
 * that ends; a QEMU that is ended at that moment may still be there, and keeps others from its id until it is gone.
 *
 * @throws QemuError KATA_SPAWN where all are taken
 */
export async function takeQemuUser({ users, locks }: Confinement): Promise<QemuUser> {
  mkdirSync(locks, { recursive: true, mode: 0o700 });
  for (let id = users.first; id <= users.last; id++) {
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

function isInUse(id: number): boolean {
  return readdirSync("/proc").some((name) => {
    const pid = Number(name);
    return Number.isInteger(pid) && statSync(`/proc/${name}`, { throwIfNoEntry: false })?.uid === id;
  });
}
