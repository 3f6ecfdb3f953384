import { findProgram } from "@kata-ts/linux";

/** Fedora, Debian 13 and Alpine; Arch; Debian 12; and the others. */
const VIRTIOFSD_PATHS = [
  ...["/usr/libexec/virtiofsd", "/usr/lib/virtiofsd", "/usr/lib/qemu/virtiofsd", "/usr/bin/virtiofsd"],
  ...["/usr/local/libexec/virtiofsd", "/usr/local/bin/virtiofsd", "/run/current-system/sw/bin/virtiofsd"],
] as const;

/** This host's virtiofsd; where there is none, the path where most distributions have it. */
export function findVirtiofsd(): string {
  return findProgram(VIRTIOFSD_PATHS);
}
