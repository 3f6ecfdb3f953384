import { orFallBack } from "@kata-ts/agent-protocol";
import type { Agent } from "../ports/agent.ts";

/** Where Docker Engine answers for the names of a network's containers, by rules in the container's own namespace. */
const ENGINE_RESOLVER = "127.0.0.11";

/** The engine's resolver, where the lines of resolv.conf name it. */
export function engineResolver(dns: readonly string[] = []): string | undefined {
  const named = dns.some((line) => line.trim().split(/\s+/).join(" ") === `nameserver ${ENGINE_RESOLVER}`);
  return named ? ENGINE_RESOLVER : undefined;
}

/** Lets the guest answer there by asking the host. */
export async function serveNames(agent: Agent, address: string, warn: (message: string) => void): Promise<void> {
  await orFallBack<unknown>(agent.serveDns({ address }), async () => {
    warn(`names that ${address} answers for are not found in the guest: its agent knows the 1.x contract only`);
  });
}
