import { findProgram } from "@kata-ts/linux";

/** Debian and most others; RHEL and what is made from it; built by hand; NixOS. */
const QEMU_PATHS = [
  ...["/usr/bin/qemu-system-x86_64", "/usr/libexec/qemu-kvm", "/usr/bin/qemu-kvm"],
  ...["/usr/local/bin/qemu-system-x86_64", "/run/current-system/sw/bin/qemu-system-x86_64"],
] as const;

/** This host's QEMU; where there is none, the path where most distributions have it. */
export function findQemu(): string {
  return findProgram(QEMU_PATHS);
}
