import { setTimeout as delay } from "node:timers/promises";
import { AgentRpcError, RpcStatus } from "@kata-ts/agent-protocol";
import { type GuestProcess, PolledProcess } from "@kata-ts/shim";
import { KataError } from "../errors.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import type { ContainerParts } from "./container-parts.ts";
import type { DetachedContainer } from "./detached-note.ts";
import { EndedProcess } from "./ended-process.ts";
import { openGuestProcess } from "./open-guest-process.ts";
import type { RunningContainer } from "./running-container.ts";
import { runningAgain } from "./snapshot.ts";

/** A guest that is silent is let go of all the same. */
const LET_GO_MS = 2_000;

export function notStarted(sandboxId: string, id: string): KataError {
  return new KataError("KATA_STATE", `sandbox ${sandboxId} cannot be detached: container ${id} is not started`, {
    hint: "start it first, or remove it",
  });
}

type About = Omit<DetachedContainer, "isStreamed" | "exitCode">;

function aboutOf({ id, process, user, hasDisks, limits }: ContainerParts): About {
  return { id, process, hasDisks, demand: limits.requestOf(id), ...(user === undefined ? {} : { user }) };
}

/** No shorter, as JSON, than what `detachContainer` will return: a status has three digits at most. */
export function roomFor(parts: ContainerParts): DetachedContainer {
  return { ...aboutOf(parts), isStreamed: false, exitCode: 255 };
}

/** Lets go of a container's first process, which goes on. @returns what the next program needs of it */
export async function detachContainer(
  parts: ContainerParts,
  first: GuestProcess | undefined,
): Promise<DetachedContainer> {
  const about = aboutOf(parts);
  if (first === undefined) return { ...about, isStreamed: false };
  const exited = first.wait().then(
    (exitCode) => exitCode,
    () => undefined,
  );
  const giveUp = delay(LET_GO_MS, undefined, { ref: false });
  await Promise.race([first.detach(), giveUp]);
  const isStreamed = !(first instanceof PolledProcess);
  const exitCode = isStreamed ? await Promise.race([exited, giveUp]) : undefined;
  return { ...about, isStreamed, ...(exitCode === undefined ? {} : { exitCode }) };
}

/** A container of a sandbox that was detached, with what its first process has written last, and writes. */
export async function openDetached(
  parts: ContainerParts,
  { isStreamed, exitCode }: DetachedContainer,
): Promise<RunningContainer> {
  if (exitCode !== undefined) return runningAgain(parts, new EndedProcess(parts.id, exitCode));
  if (!isStreamed) return reopened(parts, undefined);
  const token = await tokenFor(parts);
  if (token === undefined) return runningAgain(parts, new EndedProcess(parts.id, undefined));
  // One that was paused runs again, as a restored one does: which stand still only the guest knows.
  const resumed = parts.agent.resumeContainer({ container_id: parts.id });
  await wrapAgentError(`let container ${parts.id} run`, resumed);
  return reopened(parts, token);
}

async function reopened(parts: ContainerParts, token: Uint8Array | undefined): Promise<RunningContainer> {
  const guest = openGuestProcess(parts, { execId: parts.id, token });
  return runningAgain(parts, await wrapAgentError(`open the streams of container ${parts.id}`, guest));
}

/** Undefined where the guest knows the process no more: an earlier program had its status. */
async function tokenFor({ id, agent }: ContainerParts): Promise<Uint8Array | undefined> {
  try {
    return (await agent.openStream({ container_id: id, exec_id: id })).token;
  } catch (error) {
    if (error instanceof AgentRpcError && error.status === RpcStatus.NotFound) return undefined;
    return await wrapAgentError(`open the streams of container ${id}`, Promise.reject(error as Error));
  }
}
