import type { grpc, SpecProcess } from "@kata-ts/agent-protocol";
import { randomUuid } from "@kata-ts/linux";
import { type GuestProcess, StreamedProcess } from "@kata-ts/shim";
import { guestRoot } from "../container/guest-root.ts";
import { createInGuest, execInGuest, type ProcessInGuest } from "../container/in-guest.ts";
import { defaultSpec } from "../embedded/default-spec.ts";
import { resultOf } from "../embedded/process-result.ts";
import { KataError } from "../errors.ts";
import type { Agent } from "../ports/agent.ts";
import { sharedMemory } from "../sandbox/shared-memory.ts";

export interface WarmUpOptions {
  /** How often everything is done. */
  readonly rounds: number;
  /** What is plugged in already, and is mounted in each sandbox. */
  readonly storages?: readonly grpc.Storage.$Properties[];
}

/**
 * Has a guest do what it will be asked for: a sandbox with a container, its processes, their streams, their end.
 * Its clones find the code loaded and compiled. Nothing of it is left: the guest is as after its boot.
 *
 * @throws KataError KATA_AGENT when the guest cannot run a container
 */
export async function warmUp(agent: Agent, agentUrl: string, { rounds, storages = [] }: WarmUpOptions): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await agent.createSandbox({
      hostname: "template",
      storages: [...storages, sharedMemory()],
      sandbox_id: "template",
    });
    const id = await runContainer(agent, agentUrl);
    await agent.listInterfaces({});
    await agent.listRoutes({});
    // A container ends by itself, or with its sandbox.
    if (round % 2 === 0) await agent.removeContainer({ container_id: id });
    await agent.destroySandbox({});
  }
  await agent.check({}); // It gives back what the last sandbox had before it answers this.
}

/** The guest's own root file system is the container's, read-only as it is. @returns the id of a container that has ended */
async function runContainer(agent: Agent, agentUrl: string): Promise<string> {
  const id = randomUuid();
  const root = guestRoot(id);
  const spec = { ...defaultSpec({ args: ["cat"] }), root: { path: root.path, readonly: true } };
  const started = await createInGuest(agent, { container_id: id, exec_id: id, storages: [root.storage] }, spec);
  const first = await open(agentUrl, started);
  await agent.startContainer({ container_id: id });
  const process = spec.process ?? { cwd: "/" };
  await exec(agent, agentUrl, id, { ...process, args: ["cat"] });
  await exec(agent, agentUrl, id, { ...process, args: ["echo", "warm"], terminal: true });
  await agent.statsContainer({ container_id: id });
  const { exitCode, stdout } = await resultOf(first, { input: "warm" });
  if (exitCode !== 0 || stdout !== "warm") {
    throw new KataError("KATA_AGENT", `a container in the guest ended with status ${String(exitCode)}`);
  }
  await agent.signalProcess({ container_id: id, exec_id: "", signal: 9 });
  return id;
}

async function exec(agent: Agent, agentUrl: string, id: string, process: SpecProcess): Promise<void> {
  const names = { container_id: id, exec_id: randomUuid() };
  const running = await open(agentUrl, await execInGuest(agent, names, process));
  await resultOf(running, { input: "warm" });
}

/** Only an agent of ours can be made a template of: others have no streams to be warmed up. */
async function open(agentUrl: string, { token }: ProcessInGuest): Promise<GuestProcess> {
  if (token === undefined) throw new KataError("KATA_AGENT", "the guest's agent is not of this project");
  return StreamedProcess.open(agentUrl, token);
}
