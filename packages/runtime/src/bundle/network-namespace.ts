import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import { hostNetworkRefused } from "@kata-ts/virtcontainers";

/**
 * The path of the network namespace that an engine has made; undefined: one is to be made.
 *
 * @throws KataError KATA_HOST_NETWORK where config.json asks for no namespace, which means the host's
 */
export function networkNamespaceOf(spec: RuntimeSpec): string | undefined {
  const namespace = spec.linux?.namespaces?.find(({ type }) => type === "network");
  if (namespace === undefined) throw hostNetworkRefused();
  return namespace.path === undefined || namespace.path === "" ? undefined : namespace.path;
}
