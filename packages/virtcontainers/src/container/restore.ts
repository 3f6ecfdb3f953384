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
  /** Its processes stand still, as those of a container that was paused, until `resumeContainer`. */
  readonly held?: boolean | undefined;
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
  { directory, held = false, ...place }: RestoreContainerOptions,
  ports: AllPorts,
): Promise<CreatedContainer> {
  await using opened = new UndoStack();
  return await inOwnVm(config, { verb: "restore", ...place }, ports, async (signal) => {
    const snapshot = await openSnapshot(directory, ports, signal);
    opened.push(() => {
      snapshot[Symbol.dispose]();
    });
    const saved = onlyContainer(directory, snapshot.manifest.containers);
    requireSameTerminal(directory, saved, config);
    const names = new Map([[saved.id, config.id]]);
    return {
      sandbox: (own) => restoreSandbox(snapshot, { ...own, names, held }, ports),
      finish: async ({ vm, agent, shim, update }) => {
        const streams = agent.openStream({ container_id: config.id, exec_id: config.id });
        const { token } = await wrapAgentError(`open the streams of container ${config.id}`, streams);
        await shim.connect(shimTarget(vm.state, token));
        const status = held ? "paused" : "running";
        const record = await update({ status, user: saved.user, demand: saved.demand });
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

/** What a process writes comes by one stream from a terminal, and by two without: the guest's cannot be changed. */
function requireSameTerminal(directory: string, { id, process }: SavedContainer, { spec }: ContainerConfig): void {
  const [had, has] = [process, spec.process].map((each) => each?.terminal === true);
  if (had === has) return;
  const [was, is] = had === true ? ["with", "without"] : ["without", "with"];
  const what = `container ${id} of the snapshot ${directory} was saved ${was} a terminal, and cannot be restored ${is} one`;
  throw new KataError("KATA_UNSUPPORTED", what, { hint: "set process.terminal of config.json as it was" });
}
