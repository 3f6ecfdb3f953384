import { isNamespace, NetworkNamespace, sameNetworkNamespace } from "@kata-ts/netns";
import { KataError } from "../errors.ts";

/** Kata's words: a VM has a network of its own, and cannot be given the host's. */
export function hostNetworkRefused(): KataError {
  return new KataError("KATA_HOST_NETWORK", "Host networking requested, not supported by runtime", {
    hint: "give the container a network namespace of its own; publish ports instead of sharing the host's",
  });
}

/** Engines write host networking as a path to their own namespace. @throws KataError KATA_HOST_NETWORK */
export function refuseHostNamespace(path: string): void {
  if (sameNetworkNamespace(path, "/proc/thread-self/ns/net") || isNamespaceOfInit(path)) throw hostNetworkRefused();
}

/** An engine may itself be in a namespace of its own. Where init's cannot be looked at, it cannot be meant either. */
function isNamespaceOfInit(path: string): boolean {
  try {
    return isNamespace("/proc/1/ns/net", NetworkNamespace.identify(path));
  } catch {
    return false;
  }
}
