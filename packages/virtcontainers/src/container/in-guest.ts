import {
  type grpc,
  type katats,
  orFallBack,
  processToMessage,
  type RuntimeSpec,
  resourcesToMessage,
  type SpecProcess,
  type SpecResources,
  specToMessage,
  stringifyJson,
} from "@kata-ts/agent-protocol";
import { escapeControls } from "@kata-ts/qemu-driver";
import type { Agent } from "../ports/agent.ts";

/** What the guest says of a process that it has made. */
export interface Started {
  /** Opens the process's stream; absent with an agent that has no such streams. */
  readonly token?: Uint8Array;
  /** What of the request was left out, and why. */
  readonly warnings: readonly string[];
}

const LOST_IN_CONTRACT = "the agent knows the 1.x contract only: what oci.proto lacks is not applied";

/** Every question takes the agent's own way where it has one, which loses nothing of config.json. */
export async function createInGuest(
  agent: Agent,
  container: Pick<
    grpc.CreateContainerRequest.$Properties,
    "container_id" | "exec_id" | "sandbox_pidns" | "storages" | "devices"
  >,
  spec: RuntimeSpec,
): Promise<Started> {
  const config = Buffer.from(stringifyJson(spec));
  return orFallBack(agent.createFromConfig({ container, config }).then(startedFrom), async () => {
    await agent.createContainer({ ...container, OCI: specToMessage(spec) });
    return { warnings: [LOST_IN_CONTRACT] };
  });
}

export async function execInGuest(
  agent: Agent,
  names: { readonly container_id: string; readonly exec_id: string },
  process: SpecProcess,
): Promise<Started> {
  const json = Buffer.from(stringifyJson(process));
  return orFallBack(agent.execFromConfig({ ...names, process: json }).then(startedFrom), async () => {
    await agent.execProcess({ ...names, process: processToMessage(process) });
    return { warnings: [LOST_IN_CONTRACT] };
  });
}

export async function updateInGuest(agent: Agent, id: string, resources: SpecResources): Promise<void> {
  const json = Buffer.from(stringifyJson(resources));
  await orFallBack<unknown>(agent.updateFromConfig({ container_id: id, resources: json }), () =>
    agent.updateContainer({ container_id: id, resources: resourcesToMessage(resources) }),
  );
}

const MAX_WARNINGS = 32;
const MAX_WARNING_LENGTH = 500;

/** The words are a guest's: they are bounded, and cannot steer a terminal. */
function startedFrom({ token, warnings }: katats.v1.ProcessTicket): Started {
  const shown = warnings.slice(0, MAX_WARNINGS);
  return { token, warnings: shown.map((warning) => escapeControls(warning.slice(0, MAX_WARNING_LENGTH))) };
}
