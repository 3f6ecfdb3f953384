import { ContainerFiles } from "../embedded/files/container-files.ts";
import type { ContainerId } from "../identifiers.ts";
import type { Ports } from "../ports/ports.ts";
import { requireStatus } from "./status.ts";

/** The files of a container, until the scope ends. */
export interface OpenFiles extends Disposable {
  readonly files: ContainerFiles;
}

/** The files of a container that another process may have made. @throws KataError KATA_NOT_FOUND; KATA_STATE for one that has ended */
export async function openFiles(id: ContainerId, ports: Ports<"store" | "connectAgent">): Promise<OpenFiles> {
  const record = await ports.store.read(id);
  const { agentUrl } = requireStatus(record, "reach the files of", "created", "running", "paused");
  const agent = ports.connectAgent(agentUrl);
  return {
    files: new ContainerFiles({ id, agent, agentUrl, during: (work) => work() }),
    [Symbol.dispose]: () => {
      agent.close();
    },
  };
}
