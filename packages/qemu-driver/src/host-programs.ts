import { accessSync, constants, statSync } from "node:fs";

/** Debian and most others; RHEL and what is made from it; built by hand; NixOS. */
const QEMU_PATHS = [
  ...["/usr/bin/qemu-system-x86_64", "/usr/libexec/qemu-kvm", "/usr/bin/qemu-kvm"],
  ...["/usr/local/bin/qemu-system-x86_64", "/run/current-system/sw/bin/qemu-system-x86_64"],
] as const;

/** Fedora, Debian 13 and Alpine; Arch; Debian 12; and the others. */
const VIRTIOFSD_PATHS = [
  ...["/usr/libexec/virtiofsd", "/usr/lib/virtiofsd", "/usr/lib/qemu/virtiofsd", "/usr/bin/virtiofsd"],
  ...["/usr/local/libexec/virtiofsd", "/usr/local/bin/virtiofsd", "/run/current-system/sw/bin/virtiofsd"],
] as const;

/** This host's QEMU; where there is none, the path where most distributions have it. */
export function findQemu(): string {
  return findProgram(QEMU_PATHS);
}

/** This host's virtiofsd; where there is none, the path where most distributions have it. */
export function findVirtiofsd(): string {
  return findProgram(VIRTIOFSD_PATHS);
}

/** The first that can be run; else the first. */
export function findProgram(paths: readonly [string, ...string[]]): string {
  return paths.find(isProgram) ?? paths[0];
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
