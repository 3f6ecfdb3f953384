import { virtiofsdVersion } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import type { QemuConfig } from "./qemu-config.ts";
import { isSince, qemuVersion } from "./qemu-version.ts";

/** Since these releases they pass on what a daemon holds for its guest: files that are open, and those that the guest knows. */
const [QEMU_SINCE, DAEMON_SINCE] = [
  [8, 2],
  [1, 11],
] as const;

const HINT =
  'put root file systems on block devices, with "none" as vm.sharedFs, or name newer ones: vm.qemuPath, vm.virtiofsdPath';

/** Checks that a machine with files over virtio-fs can be saved. @returns what the daemon says its version is; @throws KataError KATA_UNSUPPORTED, KATA_CONFIG */
export async function requireFileMigration({
  qemuPath,
  virtiofsdPath,
}: Pick<QemuConfig, "qemuPath" | "virtiofsdPath">): Promise<string> {
  const [qemu, daemon] = await Promise.all([qemuVersion(qemuPath), virtiofsdVersion(virtiofsdPath)]);
  if (!isSince(qemu, QEMU_SINCE)) throw tooOld(`${qemuPath} is ${qemu}, and 8.2 is the first that saves them`);
  if (daemon.kind !== "rust" || !isSince(daemon.version, DAEMON_SINCE))
    throw tooOld(
      `${virtiofsdPath} is virtiofsd ${daemon.version}, and 1.11 of the one in Rust is the first that passes them on`,
    );
  return daemon.version;
}

function tooOld(why: string): KataError {
  return new KataError("KATA_UNSUPPORTED", `a sandbox with files over virtio-fs cannot be saved: ${why}`, {
    hint: HINT,
  });
}
