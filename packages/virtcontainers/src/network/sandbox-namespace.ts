import { NetworkNamespace } from "@kata-ts/netns";
import { refuseHostNamespace } from "./host-network.ts";

/** A new namespace, or an engine's. It lives as long as a process of the sandbox does, or as the engine wants. */
export function openSandboxNamespace(path: string | undefined): NetworkNamespace {
  if (path === undefined) return NetworkNamespace.create();
  refuseHostNamespace(path);
  return NetworkNamespace.open(path);
}
