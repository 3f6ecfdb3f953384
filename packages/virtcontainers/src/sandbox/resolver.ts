import { type RuntimeSpec, withFallback } from "@kata-ts/agent-protocol";
import { engineResolver, readResolvConf } from "@kata-ts/proxy";
import type { Agent } from "../ports/agent.ts";
import type { VmState } from "../ports/hypervisor.ts";

/** The file of the host that is mounted as a container's resolv.conf: the guest's own programs resolve by it, too. */
export function resolvConfOf(spec: RuntimeSpec): string | undefined {
  return spec.mounts?.find(({ destination }) => destination === "/etc/resolv.conf")?.source;
}

/**
 * Lets the guest answer for an engine's resolver where the file names one by now: Docker 28 writes it between create and
 * start, and every Docker when a container joins its first network that has names.
 */
export async function followResolver(
  { resolvConf }: VmState,
  agent: Agent,
  warn: (message: string) => void,
): Promise<void> {
  const resolver = resolvConf === undefined ? undefined : engineResolver(readResolvConf(resolvConf));
  if (resolver !== undefined) await serveNames(agent, resolver, warn);
}

/** Lets the guest answer there by asking the host. Idempotent. */
export async function serveNames(agent: Agent, address: string, warn: (message: string) => void): Promise<void> {
  await withFallback<unknown>(agent.serveDns({ address }), async () => {
    warn(`names that ${address} answers for are not found in the guest: its agent knows the 1.x contract only`);
  });
}
