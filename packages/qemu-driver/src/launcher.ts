import { anyObjectAs, count, object, optional, type Shape, text } from "@kata-ts/linux/shape";
import type { Confinement, UserRange } from "./confinement/confinement.ts";
import { PreparedQemu, type QemuStartOptions } from "./start-qemu.ts";
import type { VmConfig } from "./vm-config.ts";

/** A machine and how its QEMU is kept from the host: plain values, which travel to the process that starts it. */
export interface QemuDescription {
  readonly vm: VmConfig;
  /** Absent: QEMU is kept from the host by its capabilities and its filter alone. */
  readonly confinement?: Confinement;
}

/** The machine becomes arguments of a program that checks them. */
const description: Shape<QemuDescription> = object<QemuDescription>({
  vm: anyObjectAs<VmConfig>(),
  confinement: optional(object<Confinement>({ users: object<UserRange>({ first: count, last: count }), locks: text })),
});

export interface QemuLaunch extends Pick<QemuStartOptions, "vsock"> {
  /** The machine waits to be restored; the guest's memory is a file that the caller fills. */
  readonly isClone: boolean;
  /** VmConfig.memoryImage: there is nothing to fill then. */
  readonly memoryImage?: string | undefined;
}

/**
 * Prepares a machine that another program has described.
 *
 * @param config a QemuDescription; @throws TypeError where it is none, QemuError, LinuxError: nothing is left then
 */
export async function launchQemu(config: object, { isClone, memoryImage, vsock }: QemuLaunch): Promise<PreparedQemu> {
  const { vm, confinement } = description(config, "the machine's description");
  const mapped = memoryImage === undefined ? {} : { memoryImage };
  const machine = isClone ? { ...vm, ...mapped, incoming: true } : vm;
  // Since 8.1 QEMU leaves out of what it saves only memory in a file that it was given by name: memory of its own would be in the state, too.
  const ownMemory = memoryImage === undefined && (isClone || (vm.savable === true && !hasOwnBackend(vm)));
  return PreparedQemu.prepare(machine, { ownMemory, confinement, vsock });
}

/** Memory that was asked for in another way, of which no machine can be saved. */
function hasOwnBackend({ memory }: VmConfig): boolean {
  return memory?.hugePages === true || memory?.directory !== undefined;
}
