import type { AllPorts, Ports } from "@kata-ts/virtcontainers";
import { FileStore } from "@kata-ts/virtcontainers/records";
import type { Composition, PortMakers, PortName } from "../context.ts";
import { reachAgent } from "./reach-agent.ts";

/** Some ports, with what all operations are given beside them. */
export type RuntimePorts<N extends PortName> = Ports<N>;

/** Each port's own code is loaded when the port is made, but for those two that nearly all calls work through. */
const MAKERS: PortMakers = {
  store: ({ context }) => new FileStore(context.root),
  hypervisor: async (composition) => (await import("./hypervisor.ts")).makeHypervisor(composition),
  connectAgent: ({ context }) => context.tracing?.traced(reachAgent) ?? reachAgent,
  network: async (composition) => (await import("./network.ts")).makeNetwork(composition),
  cgroups: async (composition) => (await import("./cgroups.ts")).makeCgroups(composition),
  shims: async (composition) => (await import("./shims.ts")).makeShims(composition),
};

/** The ports as an engine's runtime needs them: records in files, proxy and shims as processes of their own. */
export async function compose<N extends PortName>(
  composition: Composition,
  names: readonly N[],
): Promise<RuntimePorts<N>> {
  const { context, warn } = composition;
  const makers = { ...MAKERS, ...context.makers };
  const made = await Promise.all(names.map(async (name) => [name, await makers[name](composition)] as const));
  const trace = (step: string, id: string): void => {
    context.timeline.note(step);
    context.tracing?.step(step);
    context.log.debug(`${id}: ${step}`);
  };
  return { ...(Object.fromEntries(made) as Pick<AllPorts, N>), warn, trace };
}
