import { prepareGuest } from "@kata-ts/guest-image";
import { AGENT_DIST } from "../../scripts/lib/paths.ts";

/** The distribution's kernel, from the cache or fetched. */
export async function fetchDistribution(): Promise<{ kernelPath: string; initrdPath: string }> {
  const guest = await prepareGuest({ agentDir: AGENT_DIST, kernel: "distribution" });
  return { kernelPath: guest.kernelPath, initrdPath: guest.initrdPath ?? "" };
}
