import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AGENT_LOG_PREFIX, AgentLog } from "@kata-ts/agent-protocol/guest-contract";
import { VmFile } from "@kata-ts/proxy";
import { KataError, reasonOf } from "../errors.ts";
import type { BootRequest, Vm } from "../ports/hypervisor.ts";
import type { RestoreSource, SavedExport } from "../ports/saved-vm.ts";
import type { Machine } from "../ports/vmm.ts";
import { reseed } from "../template/clone.ts";

const DISCONNECTED = `${AGENT_LOG_PREFIX}${AgentLog.disconnected}`;
const DISCONNECT_DEADLINE_MS = 30_000;
const LOOK_MS = 10;
/** Of a monitor that has said what failed. */
const END_DEADLINE_MS = 5_000;

/**
 * Makes a machine that waits for it what another one was when it was saved, and gives its guest random numbers of its own.
 *
 * @throws KataError KATA_SNAPSHOT, and the errors of monitor and agent: the VM is of no use then
 */
export async function restoreVm(
  vm: Pick<Vm, "state" | "plugDisk" | "plugSharedTree" | "share" | "isRunning" | "ended">,
  machine: Machine,
  { guest, disks, exports = [], connectAgent }: RestoreSource,
  { signal, onStep }: Pick<BootRequest, "signal" | "onStep">,
): Promise<void> {
  for (const { owner, path, ...disk } of disks) await vm.plugDisk(owner, path, disk);
  await vm.plugSharedTree();
  for (const each of exports) await shareAgain(vm, each);
  await machine.restore(guest).catch(async (error: unknown) => {
    throw await notRestored(vm, error);
  });
  onStep?.("guest restored");
  await earlierHostLeft(vm, signal);
  await reseed(vm.state.agentUrl, connectAgent, signal);
}

/** A monitor that cannot restore a guest ends, and has said why. */
async function notRestored({ state, ended }: Pick<Vm, "state" | "ended">, cause: unknown): Promise<KataError> {
  const late = new AbortController();
  const exit = await Promise.race([ended, delay(END_DEADLINE_MS, undefined, { signal: late.signal })]);
  late.abort();
  const said = exit?.stderr.filter((line) => !line.startsWith("warning:")) ?? [];
  const why = said.length === 0 ? reasonOf(cause) : said.join("; ");
  return new KataError("KATA_SNAPSHOT", `the VM in ${state.dir} could not be restored: ${why}`, { cause });
}

/** The guest goes on with the host's files as they are by now. */
async function shareAgain(vm: Pick<Vm, "share">, { source, user, exported, options }: SavedExport): Promise<void> {
  const path = await vm.share(source, user, options);
  if (basename(path) === exported) return;
  throw new KataError("KATA_SNAPSHOT", `${source} is not what the guest had there when it was saved`, {
    hint: "files of the host are not part of a snapshot: restore it where they are",
  });
}

/**
 * The guest was saved in the middle of a conversation with another host: a connection that came before its agent has noticed
 * that end would be taken for the rest of it.
 */
async function earlierHostLeft(vm: Pick<Vm, "state" | "isRunning">, signal: AbortSignal | undefined): Promise<void> {
  const console = join(vm.state.dir, VmFile.console);
  const giveUpAt = performance.now() + DISCONNECT_DEADLINE_MS;
  while (!(await readFile(console, "latin1")).includes(DISCONNECTED)) {
    signal?.throwIfAborted();
    if (!vm.isRunning())
      throw new KataError("KATA_SNAPSHOT", `the VM in ${vm.state.dir} has ended while it was restored`);
    if (performance.now() > giveUpAt) {
      throw new KataError(
        "KATA_SNAPSHOT",
        `the agent of the VM in ${vm.state.dir} does not go on after it was restored`,
      );
    }
    await delay(LOOK_MS);
  }
}
