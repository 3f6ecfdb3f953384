/** What a person has on a machine before cloning the repository: git, and Node with npm. */
export const DEVELOPER: readonly string[] = ["ca-certificates", "git", "nodejs", "npm"];

/** A machine that nothing was installed on. */
export const BARE: readonly string[] = ["ca-certificates"];

/** What end-to-end tests of guests use, on a machine that gets its kata-ts from elsewhere. */
export const GUESTS_TESTED: readonly string[] = [
  ...["ca-certificates", "qemu-system-x86", "iproute2", "iptables", "procps", "libatomic1"],
  ...["busybox-static", "runc", "umoci", "e2fsprogs"],
];
