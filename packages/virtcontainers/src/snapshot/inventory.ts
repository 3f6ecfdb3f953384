import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What CRIU writes last. podman restores no checkpoint without a file of this name, and reads nothing of it. */
const INVENTORY = "inventory.img";

const CONTENT = "This is a snapshot of a virtual machine, not CRIU's: kata-runtime restore goes on with it.\n";

/** Has podman take a directory for that of a whole checkpoint. */
export async function writeInventory(directory: string): Promise<void> {
  const path = join(directory, INVENTORY);
  // An earlier snapshot is never without it.
  if ((await readFile(path, "utf8").catch(() => "")) === CONTENT) return;
  // A new file: no link of another's is followed.
  await rm(path, { force: true });
  await writeFile(path, CONTENT, { flag: "wx", mode: 0o600 });
}
