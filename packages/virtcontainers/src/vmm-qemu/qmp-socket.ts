import { join } from "node:path";

/** Where QEMU listens for commands, in the VM's directory. */
export function qmpSocketOf(directory: string): string {
  return join(directory, "qmp.sock");
}
