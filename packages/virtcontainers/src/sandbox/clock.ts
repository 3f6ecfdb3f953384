import { withFallback } from "@kata-ts/agent-protocol";
import type { Agent } from "../ports/agent.ts";

/**
 * Sets a guest's clock to the host's, to be kept so: it asks the host's supervisor for the time, and knows how long each answer
 * took. An agent of Kata 1.x gets the time once.
 */
export async function setClock(agent: Agent): Promise<void> {
  await withFallback<unknown>(agent.followClock({}), () => setClockRoughly(agent));
}

/** As late as the call arrives. */
export async function setClockRoughly(agent: Agent): Promise<void> {
  const now = Date.now();
  await agent.setGuestDateTime({ Sec: Math.floor(now / 1000), Usec: (now % 1000) * 1000 });
}
