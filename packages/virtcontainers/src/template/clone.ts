import { randomBytes } from "node:crypto";
import type { ConnectAgent } from "../ports/agent.ts";
import type { BootRequest } from "../ports/hypervisor.ts";
import type { Machine } from "../ports/vmm.ts";
import type { SavedGuest } from "./saved-guest.ts";
import type { Templates } from "./templates.ts";

/** What clones come from. */
export interface Factory {
  readonly templates: Pick<Templates, "find" | "noteUse">;
  readonly connectAgent: ConnectAgent;
  /** Called with the reason why a VM was booted and not cloned. */
  readonly warn: (message: string) => void;
}

export interface Cloning extends Factory {
  readonly template: SavedGuest;
}

/** A clone answers within a tenth of a second; where many are made at once it takes many times that. */
const ANSWER_DEADLINE_MS = 30_000;
/** As many as Kata sends. */
const ENTROPY_BYTES = 512;

/**
 * Makes a machine that waits for it a clone, and gives the clone random numbers of its own before it uses any: every clone
 * of a template has the same pool.
 *
 * @throws QemuError, AgentRpcError when the template is of no use
 */
export async function restoreClone(
  machine: Machine,
  agentUrl: string,
  { template, connectAgent }: Cloning,
  { signal, onStep }: Pick<BootRequest, "signal" | "onStep">,
): Promise<void> {
  await machine.restore(template);
  onStep?.("guest restored");
  await reseed(agentUrl, connectAgent, signal);
}

/** Gives a running guest random numbers that no other guest has. @throws AgentRpcError when it does not answer */
export async function reseed(
  agentUrl: string,
  connectAgent: ConnectAgent,
  signal: AbortSignal | undefined,
): Promise<void> {
  using agent = connectAgent(agentUrl);
  const limits = { waitForReady: true, deadlineMs: ANSWER_DEADLINE_MS, signal };
  await agent.reseedRandomDev({ data: randomBytes(ENTROPY_BYTES) }, limits);
}
