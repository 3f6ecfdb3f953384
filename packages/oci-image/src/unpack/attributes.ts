import { chmod, lchown, lutimes } from "node:fs/promises";
import { LinuxError, setExtendedAttribute } from "@kata-ts/linux";
import type { TarEntry } from "@kata-ts/tree";
import { type BytePath, onDisk, readable } from "./bytes.ts";

/** What a container may have of its image. `trusted` and `system` are the host's own, but for access control lists. */
const RESTORED = /^(user\..+|security\.capability|system\.posix_acl_(access|default))$/s;
/** A label of the machine that the image was made on, which has no meaning here. */
const SELINUX = "security.selinux";

/** Owner, mode, extended attributes and time of an entry that has just been made. @param warn told what it does not get */
export async function setAttributes(entry: TarEntry, path: BytePath, warn: (message: string) => void): Promise<void> {
  const made = onDisk(path);
  await lchown(made, entry.uid, entry.gid);
  if (entry.type !== "symlink") await chmod(made, entry.mode);
  // Behind the owner: the kernel takes a file's capabilities away with it.
  for (const [name, value] of entry.attributes) {
    if (name === SELINUX) continue;
    const refusal = RESTORED.test(name) ? trySet(made, onDisk(name), value) : "is not restored";
    if (refusal === undefined) continue;
    warn(`${readable(entry.path)}: extended attribute ${JSON.stringify(readable(name))} ${refusal}`);
  }
  await lutimes(made, entry.mtime, entry.mtime);
}

/** @returns why not, where the file system or the caller's rights do not allow it */
function trySet(path: Buffer, name: Buffer, value: Buffer): string | undefined {
  try {
    setExtendedAttribute(path, name, value);
    return undefined;
  } catch (error) {
    if (error instanceof LinuxError) return `cannot be set: ${error.errno}`;
    throw error;
  }
}
