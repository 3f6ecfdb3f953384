import { KataError } from "../errors.ts";
import type { ContainerId } from "../identifiers.ts";
import type { FoundVm } from "../ports/hypervisor.ts";
import type { Ports } from "../ports/ports.ts";
import { type LiveSandbox, liveSandbox } from "../sandbox/live-sandbox.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { undoAfter } from "../undo.ts";
import { builtIn } from "./built-in-ports.ts";
import { type DetachedContainer, type DetachedNote, parseNote, renewNote } from "./detached-note.ts";
import { type FindOptions, FoundSandbox, findEmbedded } from "./found-sandbox.ts";
import { withinLimit } from "./limit.ts";

/** A sandbox that belongs to this program from now on. */
export interface TakenSandbox {
  readonly live: LiveSandbox;
  readonly note: DetachedNote;
  readonly ports: Ports;
  /** Detaches it again, as it was but for these containers. */
  readonly giveBack: (containers: readonly DetachedContainer[]) => Promise<void>;
}

/** A guest that does not answer is given back. */
const ANSWER_MS = 30_000;

/** Takes over a sandbox that was detached. Where that fails, it stays detached. @throws KataError as Sandbox.open */
export async function takeSandbox(
  id: ContainerId,
  options: FindOptions & { readonly signal: AbortSignal },
  ports?: Ports,
): Promise<TakenSandbox> {
  const { signal } = options;
  const { state, detached } = choose(id, await findEmbedded(options, ports));
  const note = parseNote(id, detached);
  const through = ports ?? (await portsOf(id, note, signal));
  signal.throwIfAborted();
  const vm = await through.hypervisor.take({ ...state, accelerator: note.accelerator });
  const agent = through.connectAgent(state.agentUrl);
  const giveBack = async (containers: readonly DetachedContainer[]): Promise<void> => {
    agent.close();
    await vm.detach(containers.length === 0 ? detached : renewNote(note, containers));
  };
  try {
    const answer = withinLimit(`the answer of sandbox ${id}`, { signal, timeoutMs: ANSWER_MS }, () => agent.check({}));
    await wrapAgentError("reach the guest", answer);
  } catch (error) {
    await undoAfter(error, () => giveBack([]));
    throw detachedStill(error);
  }
  return { live: liveSandbox(id, vm, agent), note, ports: through, giveBack };
}

/** What a guest has failed with does not say what is to be done. */
export function detachedStill(error: unknown): unknown {
  if (!(error instanceof KataError) || error.hint !== undefined) return error;
  return new KataError(error.code, error.message, {
    cause: error.cause,
    hint: "it is detached still: open it again, or remove it by remove() of what Sandbox.list() finds",
  });
}

type DetachedVm = FoundVm & { readonly detached: string };

/** @throws KataError KATA_NOT_FOUND, KATA_STATE, KATA_VM_GONE */
function choose(id: ContainerId, found: readonly FoundVm[]): DetachedVm {
  const named = found.filter(({ sandboxId }) => sandboxId === id);
  const waiting = named.filter((vm): vm is DetachedVm => FoundSandbox.stateOf(vm) === "detached");
  const [first, ...others] = waiting;
  if (others.length > 0)
    throw new KataError("KATA_STATE", `${String(waiting.length)} detached sandboxes have the id ${id}`, {
      hint: "remove all but one: Sandbox.list() finds them, with the process that each has belonged to",
    });
  if (first !== undefined) return first;
  const [other] = named;
  if (other === undefined) {
    throw new KataError("KATA_NOT_FOUND", `there is no sandbox ${id} on this host`, {
      hint: "Sandbox.list() finds those that there are; vm.vmRoot has to be that of Sandbox.create",
    });
  }
  if (FoundSandbox.stateOf(other) === "left") {
    throw new KataError("KATA_VM_GONE", `the VM of sandbox ${id} has ended`, {
      hint: "remove what is left of it: remove() of what Sandbox.list() finds",
    });
  }
  throw new KataError("KATA_STATE", `sandbox ${id} belongs to process ${String(other.creator.pid)}, which is alive`, {
    hint: "detach it there first",
  });
}

async function portsOf(id: ContainerId, { vm, network }: DetachedNote, signal: AbortSignal): Promise<Ports> {
  if (vm !== undefined) return builtIn({ vm, signal, ...(network === undefined ? {} : { network }) });
  throw new KataError("KATA_STATE", `sandbox ${id} was made through ports of a program's own`, {
    hint: "pass such ports to Sandbox.open",
  });
}
