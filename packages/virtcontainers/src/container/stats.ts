import { setTimeout as delay } from "node:timers/promises";
import type { Response } from "@kata-ts/agent-protocol";
import { isAlive } from "@kata-ts/linux";
import type { ContainerId } from "../identifiers.ts";
import type { Agent } from "../ports/agent.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { Ports } from "../ports/ports.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { requireStatus, statusOf } from "./status.ts";

/** The contract's figures about a container's cgroup in the guest. */
export type ContainerStats = Response<"statsContainer">;

/** @throws KataError KATA_STATE, KATA_AGENT */
export async function containerStats(id: ContainerId, ports: Ports<"store" | "connectAgent">): Promise<ContainerStats> {
  const vm = requireStatus(await ports.store.read(id), "get stats of", "created", "running", "paused");
  using agent = ports.connectAgent(vm.agentUrl);
  return await wrapAgentError(`get stats of container ${id}`, agent.statsContainer({ container_id: id }));
}

const OOM_PAUSE_MS = 100;

/** Tells each time the container ran out of memory, until aborted or the guest is gone. */
export async function oomEvents(
  id: ContainerId,
  ports: Ports<"store" | "connectAgent">,
  signal: AbortSignal,
  onEvent: () => void,
): Promise<void> {
  const vm = requireStatus(await ports.store.read(id), "watch", "created", "running", "paused");
  using agent = ports.connectAgent(vm.agentUrl);
  // A guest that names others says nothing about this one.
  await watchOom(agent, (containerId) => containerId === id, { signal, onOom: onEvent });
}

/** Whether the host's kernel has ended the container's VM, which ran into the limit of its cgroup. */
export async function ranOutOfMemory(vm: VmState, { hypervisor }: Ports<"hypervisor">): Promise<boolean> {
  return (await hypervisor.reopen(vm).exit())?.outOfMemory === true;
}

/** As oomEvents, for the VM on the host once it has ended: the guest cannot tell. */
export async function hostOomOf(id: ContainerId, ports: Ports<"store" | "hypervisor">): Promise<boolean> {
  const record = await ports.store.read(id).catch(() => undefined);
  if (record?.vm === undefined || isAlive(record.vm.vmm)) return false;
  // Its supervisor writes down how it ended once all of it has been taken back.
  const giveUpAt = performance.now() + EXIT_RECORD_MS;
  const vm = ports.hypervisor.reopen(record.vm);
  while ((await vm.exit()) === undefined && performance.now() < giveUpAt) await delay(POLL_MS);
  return ranOutOfMemory(record.vm, ports);
}

const EXIT_RECORD_MS = 3_000;

/** Asks the guest for containers out of memory until it is gone, or the signal is aborted. */
export async function watchOom(
  agent: Agent,
  isKnown: (containerId: string) => boolean,
  { signal, onOom }: { readonly signal: AbortSignal; readonly onOom: (containerId: string) => void },
): Promise<void> {
  while (!signal.aborted) {
    const event = await agent.getOOMEvent({}, { signal }).catch(() => undefined);
    if (event === undefined) return;
    if (isKnown(event.container_id)) onOom(event.container_id);
    await delay(OOM_PAUSE_MS); // A guest that tells nothing but this must not keep us busy.
  }
}

/** How often it is looked whether the container still runs. */
const POLL_MS = 200;

/** Calls back in intervals, until the container has stopped. */
export async function watchStopped(
  id: ContainerId,
  { store }: Ports<"store">,
  intervalMs: number,
  onInterval: () => Promise<void>,
): Promise<void> {
  for (let next = performance.now() + intervalMs; ; ) {
    const record = await store.read(id).catch(() => undefined);
    if (record === undefined || statusOf(record) === "stopped") return;
    if (performance.now() >= next) {
      next += intervalMs;
      // One that stops while it is asked has no figures any more.
      await onInterval().catch(() => undefined);
    }
    await delay(Math.min(POLL_MS, intervalMs));
  }
}
