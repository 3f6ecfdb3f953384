import {
  type grpc,
  type katats,
  lostInProcess,
  lostInSpec,
  processToMessage,
  type RuntimeSpec,
  resourcesToMessage,
  type SpecProcess,
  type SpecResources,
  specToMessage,
  stringifyJson,
  withFallback,
} from "@kata-ts/agent-protocol";
import { escapeControls } from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import type { Agent } from "../ports/agent.ts";

/** What the guest says of a process that it has made. */
export interface ProcessInGuest {
  /** Opens the process's stream; absent with an agent that has no such streams. */
  readonly token?: Uint8Array | undefined;
  /** What of the request was left out, and why. */
  readonly warnings: readonly string[];
}

/** An ordinary request loses nothing, and is not warned about: the words would be in the middle of a user's terminal. */
function notApplied(lost: readonly string[]): string[] {
  return lost.length === 0
    ? []
    : [`not applied, as the guest's agent knows Kata's 1.x contract only: ${lost.join(", ")}`];
}

/**
 * What an agent of the 1.x contract takes as it is. The runtime has run the host's hooks; the original's agent would run
 * them in the guest. It writes limits below the cgroup's path in the request, which must be absolute.
 */
function forContract(spec: RuntimeSpec, id: string): RuntimeSpec {
  const linux = { ...spec.linux, cgroupsPath: absoluteCgroup(spec.linux?.cgroupsPath, id) };
  const fields = Object.entries({ ...spec, linux }).filter(([name]) => name !== "hooks");
  return Object.fromEntries(fields) as unknown as RuntimeSpec;
}

/** Of systemd's `slice:prefix:name` the original makes the last two. */
function absoluteCgroup(path: string | undefined, id: string): string {
  if (path === undefined || path === "") return `/kata/${id}`;
  const [, prefix, name] = /^[^/:]*\.slice:([^/:]*):([^/:]+)$/.exec(path) ?? [];
  if (prefix !== undefined && name !== undefined) return `/${prefix}/${name}`;
  return path.startsWith("/") ? path : `/${path}`;
}

interface ProcessWishes {
  /** Our standard output and standard error are one file: the guest gives the process one pipe for both. */
  readonly oneOutput?: boolean | undefined;
  /** USER or USER:GROUP, looked up in the container's own files, instead of the user that the process has. */
  readonly user?: string | undefined;
}

/** Every question takes the agent's own way where it has one, which loses nothing of config.json. */
export async function createInGuest(
  agent: Agent,
  container: Pick<
    grpc.CreateContainerRequest.$Properties,
    "container_id" | "exec_id" | "sandbox_pidns" | "storages" | "devices"
  >,
  spec: RuntimeSpec,
  { oneOutput = false, user = "" }: ProcessWishes = {},
): Promise<ProcessInGuest> {
  const config = Buffer.from(stringifyJson(spec));
  const request = { container, config, one_output: oneOutput, user };
  return withFallback(agent.createFromConfig(request).then(startedFrom), async () => {
    const numbered = spec.process === undefined ? spec : { ...spec, process: withoutLookup(spec.process, user) };
    const told = forContract(numbered, container.container_id ?? "");
    await agent.createContainer({ ...container, OCI: specToMessage(told) });
    return { warnings: notApplied(lostInSpec(told)) };
  });
}

export interface ExecWishes extends ProcessWishes {
  /** A cgroup below the container's, which is there already. */
  readonly cgroup?: string | undefined;
  /** A cgroup of its own: all that the process starts ends with its session. An agent of the 1.x contract has no such thing. */
  readonly ownCgroup?: boolean | undefined;
}

export async function execInGuest(
  agent: Agent,
  names: { readonly container_id: string; readonly exec_id: string },
  process: SpecProcess,
  { oneOutput = false, cgroup = "", ownCgroup = false, user = "" }: ExecWishes = {},
): Promise<ProcessInGuest> {
  const config = Buffer.from(stringifyJson(process));
  const request = { ...names, process: config, one_output: oneOutput, cgroup, own_cgroup: ownCgroup, user };
  return withFallback(agent.execFromConfig(request).then(startedFrom), async () => {
    await agent.execProcess({ ...names, process: processToMessage(withoutLookup(process, user)) });
    return { warnings: notApplied([...lostInProcess(process), ...(cgroup === "" ? [] : [`the cgroup ${cgroup}`])]) };
  });
}

export async function updateInGuest(agent: Agent, id: string, resources: SpecResources): Promise<void> {
  const json = Buffer.from(stringifyJson(resources));
  await withFallback<unknown>(agent.updateFromConfig({ container_id: id, resources: json }), () =>
    agent.updateContainer({ container_id: id, resources: resourcesToMessage(resources) }),
  );
}

/** Root is no question of the container's files, but for groups. @throws KataError KATA_UNSUPPORTED: the contract knows numbers only */
function withoutLookup(process: SpecProcess, user: string): SpecProcess {
  if (user === "") return process;
  if (user === "0") return { ...process, user: { uid: 0, gid: 0 } };
  throw new KataError("KATA_UNSUPPORTED", `the guest's agent cannot look up the user ${JSON.stringify(user)}`, {
    hint: "it knows Kata's 1.x contract only: give the user by numbers, { uid, gid } or UID:GID",
  });
}

const MAX_WARNINGS = 32;
const MAX_WARNING_LENGTH = 500;

/** The words are a guest's: they are bounded, and cannot steer a terminal. */
function startedFrom({ token, warnings }: katats.v1.ProcessTicket): ProcessInGuest {
  const shown = warnings.slice(0, MAX_WARNINGS);
  return { token, warnings: shown.map((warning) => escapeControls(warning.slice(0, MAX_WARNING_LENGTH))) };
}
