import { createHash } from "node:crypto";
import { debianMirrors } from "./mirrors.ts";

/**
 * The release of Debian that every guest is made of, whatever the host is. A new one is a decision: docs/adr/0021.
 * Versions within it are those of the archive's index when it was fetched, see refreshArchive.
 */
export const SUITE = "trixie";
export const KERNEL_SOURCE = "linux-source-6.12";

/** Fetched by Debian's own name and signed by its archive: Ubuntu and others have this package, too. */
export const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** apt's list of sources for the suite, its updates and its security fixes. */
export async function sourcesList(): Promise<string> {
  const { main, security } = await debianMirrors();
  const places = [`${main} ${SUITE}`, `${main} ${SUITE}-updates`, `${security} ${SUITE}-security`];
  const lines = places.flatMap((place) =>
    ["deb", "deb-src"].map((type) => `${type} [signed-by=${KEYRING}] ${place} main`),
  );
  return `${lines.join("\n")}\n`;
}

export function sourcesKey(list: string): string {
  return createHash("sha256").update(list).digest("hex").slice(0, 8);
}
