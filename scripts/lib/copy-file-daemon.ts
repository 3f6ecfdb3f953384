import { chmod, cp, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Found beside the program, wherever the tree is installed; the host's own libraries are not looked at. */
const LAUNCHER = `#!/bin/sh
dir=\${0%/*}/virtiofsd.d
exec "$dir/ld-linux-x86-64.so.2" --library-path "$dir" "$dir/virtiofsd" "$@"
`;

/** Puts virtiofsd and its libraries into the installable tree. */
export async function copyFileDaemon(from: string, libexec: string): Promise<void> {
  await cp(from, join(libexec, "virtiofsd.d"), { recursive: true });
  await writeFile(join(libexec, "virtiofsd"), LAUNCHER);
  await chmod(join(libexec, "virtiofsd"), 0o755);
}
