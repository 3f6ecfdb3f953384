import { closeSync } from "node:fs";
import { syscall } from "./native.ts";

const CLOEXEC = 1;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const MOUNT_ATTR_NOSUID = 2;
const MOUNT_ATTR_NOEXEC = 8;

/**
 * A file system in memory that is mounted nowhere yet: a descriptor, to be closed, of its root directory. What is in it is
 * reached below `/proc/self/fd/N`; `attachMountTree` mounts it. It is gone with its last mount, descriptor and open file.
 *
 * @param bytes how much memory its files may take
 */
export function createMemoryFileSystem(bytes: number): number {
  const parameters = "const char *type, unsigned int flags";
  const context = syscall("fsopen", parameters, "tmpfs", "tmpfs", CLOEXEC);
  try {
    configure(context, FSCONFIG_SET_STRING, "size", String(bytes));
    configure(context, FSCONFIG_SET_STRING, "mode", "0755");
    configure(context, FSCONFIG_CMD_CREATE, null, null);
    const attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
    const mounting = "int context, unsigned int flags, unsigned int attributes";
    return syscall("fsmount", mounting, "tmpfs", context, CLOEXEC, attributes);
  } finally {
    closeSync(context);
  }
}

function configure(context: number, command: number, key: string | null, value: string | null): void {
  const parameters = "int context, unsigned int command, const char *key, const char *value, int auxiliary";
  syscall("fsconfig", parameters, `tmpfs ${key ?? ""}`, context, command, key, value, 0);
}
