import type { grpc } from "@kata-ts/agent-protocol";
import { SHARED_TREE_PATH, SHARED_TREE_TAG } from "@kata-ts/agent-protocol/guest-contract";
import type { SharedTreeSettings } from "../ports/vmm.ts";

/** What a guest has to mount to see the shared tree; undefined where it has none. */
export function sharedTreeStorage(sharedTree: SharedTreeSettings): grpc.Storage.$Properties | undefined {
  if (sharedTree.kind === "none") return undefined;
  // The original's agent makes the directories up to the last slash.
  const mounted = { source: SHARED_TREE_TAG, mount_point: `${SHARED_TREE_PATH}/` };
  if (sharedTree.kind === "virtio-fs") {
    return { ...mounted, driver: "virtio-fs", fstype: "virtiofs", options: ["nodev"] };
  }
  const options = [`trans=virtio,version=9p2000.L,cache=mmap,msize=${String(sharedTree.messageBytes)}`, "nodev"];
  return { ...mounted, driver: "9p", fstype: "9p", options };
}
