import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Silence } from "@kata-ts/linux";
import { NetworkNamespace } from "@kata-ts/netns";
import { VmFile } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import { endOnAbort } from "../interruption.ts";
import type { ConnectAgent } from "../ports/agent.ts";
import type { Cgroups } from "../ports/cgroups.ts";
import { waitForAgent } from "../sandbox/wait-for-agent.ts";
import { warmUp } from "../template/warm-up.ts";
import { UndoStack } from "../undo.ts";
import type { VmmHypervisor } from "../vm/vmm-hypervisor.ts";
import { type CacheMetadata, writeMetadata } from "./metadata.ts";

const READY_SILENCE_MS = 5_000;
/**
 * What was translated once is there; more rounds fill the buffer with code that never runs again: each call of
 * crun is at other addresses, which is other code.
 */
const ROUNDS = 1;

export interface Preparation {
  readonly hypervisor: VmmHypervisor;
  readonly connectAgent: ConnectAgent;
  readonly cgroups: Cgroups;
  /** Milliseconds that a guest may take to boot. */
  readonly bootDeadlineMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Makes a VM that waits for a sandbox: in a network namespace of its own, with its shared tree plugged in, and once more
 * warmed up, so that what a clone's emulator has to translate is translated.
 *
 * @throws KataError KATA_BOOT, KATA_AGENT, KATA_PROXY; nothing is left then
 */
export async function prepareVm(metadata: CacheMetadata, preparation: Preparation): Promise<void> {
  const { hypervisor, connectAgent, cgroups, bootDeadlineMs, signal } = preparation;
  await using undo = new UndoStack();
  using namespace = NetworkNamespace.create();
  const interruption = signal === undefined ? {} : { signal };
  const vm = await hypervisor.prepare({
    sandboxId: `cached-${randomBytes(4).toString("hex")}`,
    networkNamespace: namespace.path,
    // It outlives the call that asked for it, and is not charged to that call's container.
    onProcess: (pid) => {
      cgroups.moveToRoot(pid);
    },
    ...interruption,
  });
  undo.push(() => vm.stop());
  using _interruption = endOnAbort(signal, vm);
  using agent = connectAgent(vm.state.agentUrl);
  if (!vm.answered) await waitForAgent(vm, agent, { deadlineMs: bootDeadlineMs, ...interruption });
  const sharedTree = await vm.plugSharedTree();
  const storages = sharedTree === undefined ? [] : [sharedTree];
  await warmUp(agent, vm.state.agentUrl, { rounds: ROUNDS, storages });
  await writeMetadata(vm.state.dir, metadata);
  signal?.throwIfAborted();
  vm.commit();
  await appeared(join(vm.state.dir, VmFile.take), vm.state.processes[0]?.pid);
  undo.keep();
}

async function appeared(path: string, proxy: number | undefined): Promise<void> {
  const silence = new Silence(proxy, READY_SILENCE_MS);
  while (!existsSync(path)) {
    if (silence.isOver()) throw new KataError("KATA_PROXY", `the VM's kata-proxy does not offer ${path}`);
    await delay(5);
  }
}
