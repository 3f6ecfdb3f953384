import type { grpc } from "@kata-ts/agent-protocol";

/** Where the guest has the shared memory of a pod: Kata's path. As the source of a bind mount at /dev/shm it means this memory. */
export const GUEST_SHM = "/run/kata-containers/sandbox/shm";

const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;

/** What a sandbox's containers may have in common, as what the guest has to mount. */
export function sharedMemory(bytes: number = DEFAULT_SHM_BYTES): grpc.Storage.$Properties {
  const options = ["noexec", "nosuid", "nodev", "mode=1777", `size=${String(bytes)}`];
  return { driver: "ephemeral", source: "shm", fstype: "tmpfs", mount_point: GUEST_SHM, options };
}
