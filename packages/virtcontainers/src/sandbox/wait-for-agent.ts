import { setTimeout as delay } from "node:timers/promises";
import { AgentRpcError, RpcStatus } from "@kata-ts/agent-protocol";
import type { VmExit } from "@kata-ts/proxy";
import { KataError, reasonOf } from "../errors.ts";
import type { Agent } from "../ports/agent.ts";
import type { Vm } from "../ports/hypervisor.ts";

export interface BootDeadline {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The reason in errors for a VM that the host's kernel has ended. */
export const OUT_OF_MEMORY = "the host's kernel has ended the VM: the limit of memory of its cgroup was reached";

const SHOWN_LINES = 10;
const SETTLE_MS = 500;

/**
 * Waits for the first answer of a booting guest's agent. A VM that ends meanwhile ends the wait.
 *
 * @throws KataError KATA_BOOT with the phase reached, the reason and the last console lines
 */
export async function waitForAgent(vm: Vm, agent: Agent, limit: BootDeadline): Promise<void> {
  const abort = new AbortController();
  const signal = limit.signal === undefined ? abort.signal : AbortSignal.any([abort.signal, limit.signal]);
  const answer = agent.check({}, { waitForReady: true, deadlineMs: limit.deadlineMs, signal });
  answer.catch(() => undefined);
  try {
    const outcome = await Promise.race([answer.then(() => "up" as const), vm.ended]);
    if (outcome !== "up") {
      await vm.noteBoot(false);
      throw bootFailure("the VM ended", outcome);
    }
    await vm.noteBoot(true);
  } catch (error) {
    if (error instanceof KataError) throw error;
    limit.signal?.throwIfAborted();
    const late = error instanceof AgentRpcError && error.status === RpcStatus.DeadlineExceeded;
    const why = late ? `the agent did not answer within ${String(limit.deadlineMs / 1000)} s` : reasonOf(error);
    await vm.noteBoot(false);
    await vm.stop(); // The supervisor writes down how far the guest came when the VM ends.
    throw bootFailure(why, await vm.exit(), error);
  } finally {
    abort.abort();
  }
}

/**
 * Work that fails because the VM has ended is reported as the VM's end.
 *
 * @throws KataError KATA_BOOT then; the work's own error while the VM runs
 */
export async function orBootFailure<T>(vm: Vm, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    // A helper's end shows before that of the VM, which follows at once.
    const end = await Promise.race([vm.ended.then((exit) => ({ exit })), delay(SETTLE_MS, undefined, { ref: false })]);
    if (end === undefined) throw error;
    throw bootFailure("the VM ended", end.exit, error);
  }
}

function bootFailure(why: string, exit: VmExit | undefined, cause?: unknown): KataError {
  const parts = [`the guest did not come up: ${why}`];
  if (exit !== undefined) {
    const how = exit.signal ?? (exit.exitCode === null ? undefined : `status ${String(exit.exitCode)}`);
    parts.push(`phase reached: ${exit.phase}`);
    // In all other cases our supervisor ended it.
    if (exit.outOfMemory === true) parts.push(OUT_OF_MEMORY);
    if (how !== undefined && exit.reason === "qemu-exited") parts.push(`QEMU ended with ${how}`);
    if (exit.stderr.length > 0) parts.push(`QEMU said: ${exit.stderr.slice(-3).join(" | ")}`);
    if (exit.console.length > 0) parts.push(`last console lines: ${exit.console.slice(-SHOWN_LINES).join(" | ")}`);
  }
  return new KataError("KATA_BOOT", parts.join("; "), {
    ...(cause === undefined ? {} : { cause }),
    hint: "check vm.kernelPath, vm.imagePath and vm.memoryMiB",
  });
}
