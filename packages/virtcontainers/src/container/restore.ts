import { KataError } from "../errors.ts";
import type { AllPorts } from "../ports/ports.ts";
import { openSnapshot, restoreSandbox } from "../sandbox/restore.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import type { SavedContainer } from "../snapshot/manifest.ts";
import { UndoStack } from "../undo.ts";
import type { ContainerConfig } from "./config.ts";
import type { CreatedContainer } from "./creation.ts";
import { inOwnVm, type OwnPlace } from "./own-vm.ts";
import { shimTarget } from "./shim-target.ts";

export interface RestoreContainerOptions extends Omit<OwnPlace, "verb"> {
  /** The directory that it was saved to. */
  readonly directory: string;
}

/**
 * Goes on with a container that was saved, in a VM of its own and under any id. What `config` says of the guest (mounts, limits, the
 * process) is not applied: the guest has it already. Whatever fails, nothing is left.
 *
 * @param config of the new container: id, bundle, terminal, hooks, and what its cgroup on the host is
 * @throws KataError KATA_SNAPSHOT where the snapshot is damaged or of another machine, KATA_ID_IN_USE
 */
export async function restoreContainer(
  config: ContainerConfig,
  { directory, ...place }: RestoreContainerOptions,
  ports: AllPorts,
): Promise<CreatedContainer> {
  await using opened = new UndoStack();
  return await inOwnVm(config, { verb: "restore", ...place }, ports, async (signal) => {
    const snapshot = await openSnapshot(directory, ports, signal);
    opened.push(() => {
      snapshot[Symbol.dispose]();
    });
    const saved = onlyContainer(directory, snapshot.manifest.containers);
    const names = new Map([[saved.id, config.id]]);
    return {
      sandbox: (own) => restoreSandbox(snapshot, { ...own, names }, ports),
      finish: async ({ vm, agent, shim, update }) => {
        const streams = agent.openStream({ container_id: config.id, exec_id: config.id });
        const { token } = await wrapAgentError(`open the streams of container ${config.id}`, streams);
        await shim.connect(shimTarget(vm.state, token));
        const record = await update({ status: "running", user: saved.user, demand: saved.demand });
        ports.trace?.("container-restored", config.id);
        return record;
      },
    };
  });
}

function onlyContainer(directory: string, containers: readonly SavedContainer[]): SavedContainer {
  const [saved] = containers;
  if (saved !== undefined && containers.length === 1) return saved;
  throw new KataError("KATA_UNSUPPORTED", `the snapshot ${directory} is of ${String(containers.length)} containers`, {
    hint: "restore it with Sandbox.restore of the library",
  });
}
