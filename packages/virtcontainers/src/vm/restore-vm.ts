import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AGENT_LOG_PREFIX, AgentLog } from "@kata-ts/agent-protocol/guest-contract";
import { type VmExit, VmFile } from "@kata-ts/proxy";
import { KataError, reasonOf } from "../errors.ts";
import type { BootRequest, Vm } from "../ports/hypervisor.ts";
import type { RestoreSource, SavedExport } from "../ports/saved-vm.ts";
import type { Machine } from "../ports/vmm.ts";
import { reseed } from "../template/clone.ts";

const DISCONNECTED = `${AGENT_LOG_PREFIX}${AgentLog.disconnected}`;
const DISCONNECT_DEADLINE_MS = 30_000;
const LOOK_MS = 10;
/** Of a monitor that has said what failed; of one that may have. */
const [END_DEADLINE_MS, SETTLE_MS] = [5_000, 500];

/** Of a monitor that goes on, with its name or without. */
const WARNING = /^(?:[^\s:]+: )?warning:/;

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
  await orItsEnd(vm, plugIn(vm, disks, exports), signal);
  await machine.restore(guest).catch(async (error: unknown) => {
    signal?.throwIfAborted();
    throw notRestored(vm, error, await endOf(vm, END_DEADLINE_MS));
  });
  onStep?.("guest restored");
  const going = async (): Promise<void> => {
    await earlierHostLeft(vm, signal);
    await reseed(vm.state.agentUrl, connectAgent, signal);
  };
  await orItsEnd(vm, going(), signal);
}

async function plugIn(
  vm: Pick<Vm, "plugDisk" | "plugSharedTree" | "share">,
  disks: RestoreSource["disks"],
  exports: readonly SavedExport[],
): Promise<void> {
  for (const { owner, path, ...disk } of disks) await vm.plugDisk(owner, path, disk);
  await vm.plugSharedTree();
  for (const each of exports) await shareAgain(vm, each);
}

/** Work that fails because the VM has ended fails with what its monitor has said. */
async function orItsEnd(
  vm: Pick<Vm, "state" | "ended" | "isRunning">,
  work: Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await work;
  } catch (error) {
    signal?.throwIfAborted();
    const end = await endOf(vm, SETTLE_MS);
    throw end === undefined && vm.isRunning() ? error : notRestored(vm, error, end);
  }
}

async function endOf({ ended }: Pick<Vm, "ended">, deadlineMs: number): Promise<VmExit | undefined> {
  const late = new AbortController();
  const exit = await Promise.race([ended, delay(deadlineMs, undefined, { signal: late.signal })]);
  late.abort();
  return exit;
}

/** A monitor that cannot restore a guest ends, and has said why. */
function notRestored({ state }: Pick<Vm, "state">, cause: unknown, exit: VmExit | undefined): KataError {
  const said = exit?.stderr.filter((line) => !WARNING.test(line)) ?? [];
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
