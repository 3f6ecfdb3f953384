import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { containerd } from "#gen/containerd";
import { isServed, pathOf } from "../address.ts";
import { unmountRootfs } from "../rootfs/mount-rootfs.ts";
import { timestampOf } from "../timestamp.ts";

/** Of a process that was killed: by SIGKILL, as what was in it. */
const KILLED = 137;

/**
 * `delete`: containerd has lost the process of a pod, or has ended it. What is left of a container is removed.
 *
 * @param cleanUp removes what is left of its virtual machine; idempotent; returns the bundles of other containers that went with it
 * @returns what containerd takes for its end
 */
export async function deleteLeftovers(bundle: string, cleanUp: () => Promise<readonly string[]>): Promise<Uint8Array> {
  const others = await cleanUp();
  for (const each of [bundle, ...others]) await unmountRootfs(each);
  await removeSocket(bundle);
  return containerd.task.v2.DeleteResponse.encode({
    pid: 0,
    exit_status: KILLED,
    exited_at: timestampOf(new Date()),
  }).finish();
}

/** Other containers of the pod may still be served. */
async function removeSocket(bundle: string): Promise<void> {
  let path: string | undefined;
  try {
    path = pathOf(readFileSync(join(bundle, "address"), "utf8"));
  } catch {
    return; // It did not come so far.
  }
  if (path !== undefined && !(await isServed(path))) rmSync(path, { force: true });
}
