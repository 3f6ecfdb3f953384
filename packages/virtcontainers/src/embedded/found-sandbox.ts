import { isAlive } from "@kata-ts/linux";
import { exactly, optional } from "@kata-ts/linux/shape";
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
 * `left`: its program was killed, and the files of its VM are still there.
 */
export type FoundState = "starting" | "running" | "ended" | "left";

/** The ports that finding and removing need. */
export type FindPorts = Ports<"hypervisor" | "cgroups">;

/** A sandbox of a program of this host, which may be another program. */
export class FoundSandbox {
  /** SandboxOptions.id: two programs may have chosen the same. */
  readonly id: ContainerId;
  /** The process that it belongs to. Where it is `left`, another one may have this number by now. */
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
    const { creator, state } = this.#vm;
    if (!isAlive(creator)) return "left";
    if (state.processes.length === 0) return "starting";
    return isAlive(state.vmm) ? "running" : "ended";
  }

  /**
   * Removes all that a killed program has left of it. Again is fine.
   *
   * @throws KataError KATA_STATE while its program is alive: the sandbox ends with that, KATA_TIMEOUT; the reason of an aborted signal
   */
  async remove(limits: LimitOptions = {}): Promise<void> {
    checkOptions(limitShape, limits, "remove");
    if (this.state !== "left") {
      throw new KataError("KATA_STATE", `sandbox ${this.id} belongs to process ${String(this.pid)}, which is alive`, {
        hint: "end it there, or end that process: its sandboxes end with it",
      });
    }
    await withinLimit(`the removal of sandbox ${this.id}`, limits, () => this.#remove(this.#vm));
  }
}

const findShape = exactly<FindOptions>({ vm: optional(vmShape), ...LIMIT });

/** The sandboxes of programs of this host. @throws KataError KATA_CONFIG, KATA_TIMEOUT; the reason of an aborted signal */
export async function findSandboxes(options: FindOptions, ports?: FindPorts): Promise<FoundSandbox[]> {
  checkOptions(findShape, options, "Sandbox.list");
  const through = ports ?? builtInPorts(options);
  const vms = await withinLimit("the search for sandboxes", options, () => through.hypervisor.found());
  const remove = async (vm: FoundVm): Promise<void> => {
    await endFoundVm(vm.state, through);
    if (ports === undefined) await sweepNat(); // Which subnet was its is known to the leases alone: all dead ones go.
  };
  return vms.flatMap((vm) => {
    const { owner, sandboxId, cached = false } = vm;
    const isEmbedded = owner === undefined && !cached && sandboxId !== undefined && isContainerId(sandboxId);
    return isEmbedded ? [new FoundSandbox(sandboxId, vm, remove)] : [];
  });
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
