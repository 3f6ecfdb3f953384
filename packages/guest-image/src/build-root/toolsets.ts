/** What a shell script may expect of a small Debian. */
const BASE = ["base-files", "coreutils", "dash", "findutils", "grep", "sed", "tar", "gzip", "xz-utils"];

/** Writes images: for every guest. */
export const IMAGE_TOOLS: readonly string[] = [...BASE, "cpio", "e2fsprogs"];

/** Changes where a program looks for libraries. */
export const ELF_TOOLS: readonly string[] = ["base-files", "coreutils", "dash", "patchelf"];

/** Compiles the tuned kernel, and crun with its libraries in it. */
export const COMPILERS: readonly string[] = [
  ...BASE,
  ...["bash", "diffutils", "mawk", "perl", "python3"],
  ...["gcc", "make", "flex", "bison", "bc", "libelf-dev", "libssl-dev"],
  ...["dpkg-dev", "libcap-dev", "libseccomp-dev", "libyajl-dev"],
];
