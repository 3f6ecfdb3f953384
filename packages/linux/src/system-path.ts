/**
 * Where a distribution keeps its programs. The PATH of a caller is not used: an engine's may be empty, and that of an
 * ordinary user lacks the directories of system programs.
 */
export const SYSTEM_PATH: string = [
  ...["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"],
  "/run/current-system/sw/bin", // NixOS
].join(":");
