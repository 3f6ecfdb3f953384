import { randomBytes } from "node:crypto";
import type { QemuVm } from "../hypervisor/qemu-vm.ts";
import type { ConnectAgent } from "../ports/agent.ts";
import type { BootRequest } from "../ports/hypervisor.ts";
import type { SavedGuest, Templates } from "./templates.ts";

/** What clones come from. */
export interface Factory {
  readonly templates: Pick<Templates, "find" | "noteUse">;
  readonly connectAgent: ConnectAgent;
  /** Told why a VM was booted and not cloned. */
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
 * Makes a VM that waits for it a clone, and gives the clone random numbers of its own before it uses any: every clone
 * of a template has the same pool.
 *
 * @throws QemuError, AgentRpcError when the template is of no use
 */
export async function takeOver(
  vm: QemuVm,
  { template, connectAgent }: Cloning,
  { signal, onStep }: Pick<BootRequest, "signal" | "onStep">,
): Promise<void> {
  await vm.restore(template.state);
  onStep?.("guest restored");
  await reseed(vm, connectAgent, signal);
}

/** Gives a guest that runs already random numbers that nobody else has. @throws AgentRpcError when it does not answer */
export async function reseed(vm: QemuVm, connectAgent: ConnectAgent, signal: AbortSignal | undefined): Promise<void> {
  using agent = connectAgent(vm.state.agentUrl);
  const limits = { waitForReady: true, deadlineMs: ANSWER_DEADLINE_MS, ...(signal === undefined ? {} : { signal }) };
  await agent.reseedRandomDev({ data: randomBytes(ENTROPY_BYTES) }, limits);
  vm.answered = true;
}
