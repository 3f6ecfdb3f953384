import { existsSync } from "node:fs";
import { join } from "node:path";
import { FileStore } from "@kata-ts/virtcontainers/records";

/**
 * Whether anything is left of a container, or of others of its pod. Seldom: containerd calls `delete` after each container whose task it
 * has deleted, too, and waits for it. Then the code that removes a VM need not be loaded.
 *
 * @param root the directory of the records
 */
export async function hasLeftovers(root: string, id: string): Promise<boolean> {
  if (existsSync(join(root, id))) return true;
  const store = new FileStore(root);
  for (const each of await store.list()) {
    // What cannot be read may be anything.
    const record = await store.read(each).catch(() => undefined);
    if (record === undefined || record.sandboxId === id) return true;
  }
  return false;
}
