import type { RuntimeSpec, SpecMount, SpecResources } from "@kata-ts/agent-protocol";
import type { BlockDevice } from "../container/block-devices.ts";
import type { ProcessDefaults } from "./default-spec.ts";
import type { LimitOptions } from "./limit.ts";
import type { NetworkedOptions } from "./network-options.ts";
import type { Template } from "./template.ts";
import type { VmOptions } from "./vm-options.ts";

/** A machine to boot, by default the guest of `@kata-ts/guest` with defaults for the rest; or a template to clone. */
export type SandboxOptions = CommonOptions &
  ({ readonly vm?: VmOptions; readonly from?: never } | { readonly from: Template; readonly vm?: never });

interface CommonOptions extends NetworkedOptions, LimitOptions {
  readonly id?: string;
  readonly hostname?: string;
  /** Containers of the sandbox see each other's processes. */
  readonly sharePidNamespace?: boolean;
  /** Milliseconds; 60 000 by default. */
  readonly bootDeadlineMs?: number;
  /** Milliseconds without a call or a process after which a warning says that the VM is still there; 300 000 by default, 0: none. */
  readonly idleWarningMs?: number;
  /** It can be detached: a program of its own, kata-proxy on this Node, watches over its VM. It ends with its owner all the same until then. */
  readonly detachable?: boolean;
}

/** A program with this library's defaults, or a whole config.json. */
export type ContainerOptions = DescribedContainer | ConfiguredContainer;

interface DescribedContainer extends ProcessDefaults {
  /** A directory on the host with the container's root file system. */
  readonly rootfs: string;
  readonly id?: string;
  /** Host directories and files, as bind mounts of config.json. */
  readonly mounts?: readonly SpecMount[];
  /** Its limits in the guest, as linux.resources of config.json. */
  readonly resources?: SpecResources;
  /** Block devices of the host, which must not be in use there. */
  readonly devices?: readonly BlockDevice[];
  readonly config?: never;
}

interface ConfiguredContainer extends Pick<DescribedContainer, "id" | "devices"> {
  /** config.json: nothing is added to it. Paths in it are the host's. */
  readonly config: RuntimeSpec;
  /** Takes the place of `config.root.path`, which has to be absolute without it. */
  readonly rootfs?: string;
  readonly mounts?: never;
  readonly resources?: never;
}

/** What a copy of a sandbox has of its options, too. */
export type KeptOptions = NetworkedOptions & Pick<SandboxOptions, "idleWarningMs">;

export function keptOptions({ network, ports, egress, idleWarningMs }: KeptOptions): KeptOptions {
  return {
    ...(network === undefined ? {} : { network }),
    ...(ports === undefined ? {} : { ports }),
    ...(egress === undefined ? {} : { egress }),
    ...(idleWarningMs === undefined ? {} : { idleWarningMs }),
  };
}
