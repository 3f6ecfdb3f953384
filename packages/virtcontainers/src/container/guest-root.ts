import type { grpc } from "@kata-ts/agent-protocol";

/** The guest's own root file system as a container's: where it is, and what has to be mounted for it. */
export function guestRoot(containerId: string): { readonly path: string; readonly storage: grpc.Storage.$Properties } {
  const path = `/run/kata-containers/guest-root/${containerId}`;
  return {
    path,
    storage: { driver: "ephemeral", source: "/", fstype: "none", mount_point: path, options: ["bind"] },
  };
}
