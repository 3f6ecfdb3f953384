/**
 * Network namespaces for virtual machines.
 *
 * @example
 * ```ts
 * import { inNetworkNamespace, sameNetworkNamespace } from "@kata-ts/netns";
 *
 * if (!sameNetworkNamespace("/run/netns/pod", "/proc/self/ns/net")) inNetworkNamespace("/run/netns/pod", start);
 * ```
 *
 * @module
 */
import { statSync } from "node:fs";
import { inNamespace } from "@kata-ts/linux";

/**
 * Runs a synchronous function with the calling thread in a network namespace. A child that it spawns stays there.
 *
 * @param path such as `/run/netns/pod`
 */
export function inNetworkNamespace<T>(path: string, body: () => T): T {
  return inNamespace("net", path, body);
}

/** Whether two paths name one network namespace. Engines write host networking as a path to their own. */
export function sameNetworkNamespace(one: string, other: string): boolean {
  const [a, b] = [statSync(one), statSync(other)];
  return a.ino === b.ino && a.dev === b.dev;
}
