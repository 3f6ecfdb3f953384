import { chmod, cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PackageEntry } from "@kata-ts/guest-image";

/** Found beside the program, wherever the tree is installed; the host's own libraries are not looked at. */
const LAUNCHER = `#!/bin/sh
dir=\${0%/*}/virtiofsd.d
exec "$dir/ld-linux-x86-64.so.2" --library-path "$dir" "$dir/virtiofsd" "$@"
`;

/**
 * Puts virtiofsd and its libraries into the installable tree.
 *
 * @returns the packages that they are from
 */
export async function copyFileDaemon(from: string, libexec: string): Promise<PackageEntry[]> {
  await cp(from, join(libexec, "virtiofsd.d"), { recursive: true });
  await writeFile(join(libexec, "virtiofsd"), LAUNCHER);
  await chmod(join(libexec, "virtiofsd"), 0o755);
  return JSON.parse(await readFile(join(from, "packages.json"), "utf8")) as PackageEntry[];
}
