import { isAlive } from "@kata-ts/linux";
import { exactly, optional, type Shape } from "@kata-ts/linux/shape";
import { sweepNat } from "@kata-ts/netns/nat";
import { noCgroups } from "../cgroup/no-cgroups.ts";
import { KataError } from "../errors.ts";
import { type ContainerId, isContainerId } from "../identifiers.ts";
import type { FoundVm } from "../ports/hypervisor.ts";
import type { Ports } from "../ports/ports.ts";
import { endFoundVm } from "../sandbox/destroy.ts";
import { VmmHypervisor } from "../vm/vmm-hypervisor.ts";
import { defaultQemuConfig } from "../vmm-qemu/qemu-config.ts";
import { QemuVmm } from "../vmm-qemu/qemu-vmm.ts";
import { type LimitOptions, withinLimit } from "./limit.ts";
import { checkOptions, LIMIT, limitShape } from "./process-shape.ts";
import { vmShape } from "./sandbox-shape.ts";
import type { VmOptions } from "./vm-options.ts";

/** Where to look: of `vm` only `vmRoot` matters, which has to be that of `Sandbox.create`. */
export interface FindOptions extends LimitOptions {
  readonly vm?: VmOptions;
}

/**
 * `starting`: its program boots it; `running`; `ended`: its program is alive, and its VM is not;
 * `detached`: it runs, and belongs to no program; `left`: its program was killed, or it has ended while it was detached, and the files of
 * its VM are still there.
 */
export type FoundState = "starting" | "running" | "ended" | "detached" | "left";

/** The ports that finding and removing need. */
export type FindPorts = Ports<"hypervisor" | "cgroups">;

/** A sandbox of a program of this host, which may be another program. */
export class FoundSandbox {
  /** SandboxOptions.id: two programs may have chosen the same. */
  readonly id: ContainerId;
  /** The process that it belongs to, or has belonged to. Where it is `left` or `detached`, another one may have this number by now. */
  readonly pid: number;
  readonly #vm: FoundVm;
  readonly #remove: (vm: FoundVm) => Promise<void>;

  /** @internal */
  constructor(id: ContainerId, vm: FoundVm, remove: (vm: FoundVm) => Promise<void>) {
    this.id = id;
    this.pid = vm.creator.pid;
    this.#vm = vm;
    this.#remove = remove;
  }

  /** As it is now, as far as its processes show; what is recorded of them was read when it was found. */
  get state(): FoundState {
    return FoundSandbox.stateOf(this.#vm);
  }

  /** @internal */
  static stateOf({ creator, state, detached }: FoundVm): FoundState {
    if (detached !== undefined) return isAlive(state.vmm) ? "detached" : "left";
    if (!isAlive(creator)) return "left";
    if (state.processes.length === 0) return "starting";
    return isAlive(state.vmm) ? "running" : "ended";
  }

  /**
   * Removes all that a killed program has left of it; ends one that is detached, and removes it. Again is fine.
   *
   * @throws KataError KATA_STATE while its program is alive: the sandbox ends with that, KATA_TIMEOUT; the reason of an aborted signal
   */
  async remove(limits: LimitOptions = {}): Promise<void> {
    checkOptions(limitShape, limits, "remove");
    const { state } = this;
    if (state !== "left" && state !== "detached") {
      throw new KataError("KATA_STATE", `sandbox ${this.id} belongs to process ${String(this.pid)}, which is alive`, {
        hint: "end it there, or end that process: its sandboxes end with it",
      });
    }
    await withinLimit(`the removal of sandbox ${this.id}`, limits, () => this.#remove(this.#vm));
  }
}

export const findShape: Shape<FindOptions> = exactly<FindOptions>({ vm: optional(vmShape), ...LIMIT });

/** The sandboxes of programs of this host. @throws KataError KATA_CONFIG, KATA_TIMEOUT; the reason of an aborted signal */
export async function findSandboxes(options: FindOptions, ports?: FindPorts): Promise<FoundSandbox[]> {
  checkOptions(findShape, options, "Sandbox.list");
  const through = ports ?? builtInPorts(options);
  const remove = async (vm: FoundVm): Promise<void> => {
    if (FoundSandbox.stateOf(vm) === "detached") await endDetached(vm, through);
    await endFoundVm(vm.state, through);
    if (ports === undefined) await sweepNat(); // Which subnet was its is known to the leases alone: all dead ones go.
  };
  return (await findEmbedded(options, through)).map((vm) => new FoundSandbox(vm.sandboxId, vm, remove));
}

/**
 * Another program may open it at this moment: what is removed is this one's first. One whose kata-proxy hangs is given to no program any
 * more, and is ended by force, as what a killed program has left.
 */
async function endDetached({ state }: FoundVm, { hypervisor }: FindPorts): Promise<void> {
  try {
    await (await hypervisor.take(state)).stop();
  } catch (error) {
    if (!(error instanceof KataError) || !LOST.has(error.code)) throw error;
  }
}

const LOST: ReadonlySet<string> = new Set(["KATA_PROXY", "KATA_VM_GONE"]);

type EmbeddedVm = FoundVm & { readonly sandboxId: ContainerId };

/** The VMs of sandboxes. @throws KataError KATA_TIMEOUT; the reason of an aborted signal */
export async function findEmbedded(options: FindOptions, ports?: FindPorts): Promise<EmbeddedVm[]> {
  const { hypervisor } = ports ?? builtInPorts(options);
  const vms = await withinLimit("the search for sandboxes", options, () => hypervisor.found());
  return vms.filter(
    (vm): vm is EmbeddedVm =>
      vm.owner === undefined && vm.cached !== true && vm.sandboxId !== undefined && isContainerId(vm.sandboxId),
  );
}

/** No guest is needed for it. */
function builtInPorts({ vm }: FindOptions): FindPorts {
  return {
    hypervisor: new VmmHypervisor({ vmm: new QemuVmm({ ...defaultQemuConfig, kernelPath: "", imagePath: "", ...vm }) }),
    cgroups: noCgroups,
    warn: (message) => {
      process.emitWarning(message);
    },
  };
}
