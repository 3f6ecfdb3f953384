import { KataError, reasonOf } from "../errors.ts";
import type { Ports } from "../ports/ports.ts";
import type { LiveSandbox } from "../sandbox/live-sandbox.ts";
import { machineOfPorts } from "./built-in-ports.ts";
import { type DetachedContainer, encodeNote } from "./detached-note.ts";
import type { IdleWatch } from "./idle-watch.ts";
import type { SandboxContainers } from "./sandbox-containers.ts";
import type { SandboxNetwork } from "./sandbox-network.ts";
import type { KeptOptions } from "./sandbox-options.ts";

/** A sandbox that is to be detached. */
export interface Detachable {
  readonly live: LiveSandbox;
  readonly network: Pick<SandboxNetwork, "hasNat" | "ports">;
  readonly idle: Pick<IdleWatch, "attached">;
  /** SandboxOptions.detachable, or it was opened. */
  readonly isDetachable: boolean;
  readonly containers: Pick<SandboxContainers, "letGo">;
  readonly options: KeptOptions;
  readonly ports: Ports;
  /** It is another program's from now on, or none's. */
  readonly leave: () => void;
}

/** What cannot go on without this program, by name. @throws KataError KATA_UNSUPPORTED, KATA_STATE, KATA_VM_GONE */
function requireDetachable({
  live: { id, vm },
  network,
  idle,
  isDetachable,
}: Pick<Detachable, "live" | "network" | "idle" | "isDetachable">): void {
  const cannot = `sandbox ${id} cannot be detached`;
  if (!vm.isRunning()) throw new KataError("KATA_VM_GONE", `${cannot}: its VM has ended`);
  if (!isDetachable) {
    throw new KataError("KATA_UNSUPPORTED", `${cannot}: its VM is a child of this program, and ends with it`, {
      hint: "Sandbox.create({ detachable: true }) makes one that can",
    });
  }
  if (network.hasNat) {
    const ports = network.ports.map(({ host, container }) => `${String(host)} to ${String(container)}`);
    const also = ports.length === 0 ? "" : `, with its published ports (${ports.join(", ")})`;
    throw new KataError("KATA_UNSUPPORTED", `${cannot}: this program carries its network "nat"${also}`, {
      hint: "create it without a network, or in a network namespace of its own: network.namespace",
    });
  }
  const [attached, ...others] = idle.attached;
  if (attached === undefined) return;
  const more = others.length === 0 ? "" : ` (and ${String(others.length)} more)`;
  throw new KataError("KATA_STATE", `${cannot}: ${attached}${more} is under way in this program`, {
    hint: "wait for its end first, or end it",
  });
}

/** A disk that is full is found out while the program has the streams of its processes still. */
async function keepRoom({ id, vm }: LiveSandbox, note: string): Promise<void> {
  try {
    await vm.prepareDetach(note);
  } catch (cause) {
    throw new KataError("KATA_STATE_FILE", `sandbox ${id} cannot be detached: ${reasonOf(cause)}`, {
      cause,
      hint: "nothing has changed; make room where the records of VMs are (/run/kata-ts/vm, or vm.vmRoot), and detach again",
    });
  }
}

/** Lets go of a sandbox. @throws as requireDetachable: nothing has changed then */
export async function detachSandbox(sandbox: Detachable, signal: AbortSignal): Promise<void> {
  const { live, containers, options, ports, leave } = sandbox;
  const check = (): void => {
    signal.throwIfAborted();
    requireDetachable(sandbox);
  };
  check();
  const { network, idleWarningMs } = options;
  const noteOf = (left: readonly DetachedContainer[]): string =>
    encodeNote({
      accelerator: live.vm.state.accelerator,
      vm: machineOfPorts(ports),
      ...(typeof network === "object" ? { network } : {}),
      ...(idleWarningMs === undefined ? {} : { idleWarningMs }),
      containers: left,
    });
  await containers.letGo(signal, {
    check,
    prepare: (room) => keepRoom(live, noteOf(room)),
    detach: async (left) => {
      await live.vm.detach(noteOf(left));
      leave();
    },
  });
  live.agent.close();
}
