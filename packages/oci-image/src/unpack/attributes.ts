import { chmod, lchown, lutimes } from "node:fs/promises";
import { LinuxError, setExtendedAttribute } from "@kata-ts/linux";
import type { ReadEntry } from "tar";
import type { Attributes } from "./extended-attributes.ts";

/** What a container may have of its image. `trusted` and `system` are the host's own, but for access control lists. */
const RESTORED = /^(user\..+|security\.capability|system\.posix_acl_(access|default))$/;
/** A label of the machine that the image was made on: nobody misses it here. */
const SELINUX = "security.selinux";

/** Owner, mode, extended attributes and time of an entry that has just been made. @param warn told what it does not get */
export async function setAttributes(
  entry: ReadEntry,
  path: string,
  extended: Attributes,
  warn: (message: string) => void,
): Promise<void> {
  await lchown(path, entry.uid ?? 0, entry.gid ?? 0);
  if (entry.type !== "SymbolicLink") await chmod(path, (entry.mode ?? 0o644) & 0o7777);
  // Behind the owner: the kernel takes a file's capabilities away with it.
  for (const [name, value] of extended) {
    if (name === SELINUX) continue;
    const refusal = RESTORED.test(name) ? trySet(path, name, value) : "is not restored";
    if (refusal !== undefined) warn(`${entry.path}: extended attribute ${JSON.stringify(name)} ${refusal}`);
  }
  await lutimes(path, entry.mtime ?? new Date(0), entry.mtime ?? new Date(0));
}

/** @returns why not, where the file system or the caller's rights do not allow it */
function trySet(path: string, name: string, value: Buffer): string | undefined {
  try {
    setExtendedAttribute(path, name, value);
    return undefined;
  } catch (error) {
    if (error instanceof LinuxError) return `cannot be set: ${error.errno}`;
    throw error;
  }
}
