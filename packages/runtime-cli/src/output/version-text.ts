import { COMMIT, OCI_VERSION, VERSION } from "@kata-ts/runtime";

/** The release of runc whose command line, messages and exit statuses ours keep to: it is what they are tested beside. */
const RUNC_VERSION = "1.1.5";

/**
 * What `--version` prints. Engines read runc's three lines: dockerd looks for "version" and "commit:" at all, containerd for
 * "runc version " in front, and podman shows all of it. Ours follow, as Kata writes them: none of them reads like runc's.
 */
export function versionText(): string {
  return [
    `runc version ${RUNC_VERSION}`,
    `commit: ${COMMIT}`,
    `spec: ${OCI_VERSION}`,
    `kata-runtime  : ${VERSION}`,
    `   commit   : ${COMMIT}`,
    `   OCI specs: ${OCI_VERSION}`,
    "",
  ].join("\n");
}
