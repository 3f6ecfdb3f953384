import type { TiedProcess } from "@kata-ts/linux";
import { anyObject, object, optional, type Shape, text } from "@kata-ts/linux/shape";

/** A machine as its monitor describes it: plain values, handed over as JSON. */
export interface MachineDescription {
  /** Names the launcher that starts it. */
  readonly monitor: string;
  readonly files: MachineFiles;
  /** Where the monitor listens for the guest's serial port; absent where the guest is reached over vsock. */
  readonly serialSocket?: string;
  /** In the monitor's own words. Its launcher checks them. */
  readonly config: object;
}

/** What a machine is made of, for people who look at a VM. */
export interface MachineFiles {
  readonly monitor: string;
  readonly kernel: string;
  readonly image: string;
}

export const machineDescription: Shape<MachineDescription> = object<MachineDescription>({
  monitor: text,
  files: object<MachineFiles>({ monitor: text, kernel: text, image: text }),
  serialSocket: optional(text),
  config: anyObject,
});

/** What backs a guest's vsock device, by a descriptor that the monitor's process inherits. */
export type VsockDevice =
  | { readonly kind: "vhost"; readonly cid: number; readonly fd: number }
  | { readonly kind: "vhost-user"; readonly fd: number };

/** What a machine is given beside its description. */
export interface LaunchOptions {
  /** The machine waits to be restored; the guest's memory is a file that the caller fills. */
  readonly isClone: boolean;
  /** Or it begins as this file, which does not change. */
  readonly memoryImage: string | undefined;
  readonly vsock: VsockDevice | undefined;
}

/** Prepares a machine of one monitor's. On failure nothing is left. */
export type MachineLauncher = (config: object, options: LaunchOptions) => Promise<PreparedMachine>;

/** A machine that has all that it is to be given, ready to be started. To be disposed, also after the start. */
export interface PreparedMachine extends Disposable {
  /** A descriptor of the guest's memory, where that is a file of the caller's. */
  readonly memory: number | undefined;
  /** The user that the monitor's process becomes; undefined where it is not confined. */
  readonly user: number | undefined;
  /**
   * Starts it, in a mount namespace whose mounts propagate nowhere. The guest's console is the process's standard output.
   *
   * @param place the VM's directory, and what the process keeps of it when it is confined
   */
  start(place: { readonly directory: string; readonly kept?: string }): TiedProcess;
}
