import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";

/** Where Docker and podman have what a registry's certificate is signed by. */
const DIRECTORIES = ["/etc/docker/certs.d", "/etc/containers/certs.d"];

/**
 * Whose certificates are trusted: Node's own authorities with NODE_EXTRA_CA_CERTS, the machine's (or those of SSL_CERT_FILE
 * and SSL_CERT_DIR), those of a registry in Docker's and podman's directories, and the caller's.
 */
export function trusted(host: string, own: readonly string[]): SecureContext {
  const ca = [...getCACertificates("default"), ...getCACertificates("system"), ...own];
  for (const directory of DIRECTORIES) ca.push(...certificatesIn(join(directory, host)));
  return createSecureContext({ ca });
}

function certificatesIn(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith(".crt"));
    return names.map((name) => readFileSync(join(directory, name), "utf8"));
  } catch {
    return []; // Few registries have some.
  }
}
