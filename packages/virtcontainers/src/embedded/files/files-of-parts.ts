import type { ContainerParts } from "../container-parts.ts";
import { ContainerFiles } from "./container-files.ts";

/** The files of a container of a sandbox. */
export function filesOfParts({ id, agent, vm, idle }: ContainerParts): ContainerFiles {
  return new ContainerFiles({
    id,
    agent,
    agentUrl: vm.state.agentUrl,
    during: (work) => idle.during(work),
  });
}
