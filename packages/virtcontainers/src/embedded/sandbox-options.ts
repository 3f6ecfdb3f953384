import type { RuntimeSpec, SpecMount, SpecResources } from "@kata-ts/agent-protocol";
import type { InterworkingModel } from "@kata-ts/netns";
import type { BlockDevice } from "../container/block-devices.ts";
import type { ProcessDefaults } from "./default-spec.ts";
import type { Template } from "./template.ts";
import type { VmOptions } from "./vm-options.ts";

/** A machine to boot, or a template to clone. */
export type SandboxOptions = CommonOptions &
  ({ readonly vm: VmOptions; readonly from?: never } | { readonly from: Template; readonly vm?: never });

interface CommonOptions {
  readonly id?: string;
  readonly hostname?: string;
  /** Containers of the sandbox see each other's processes. */
  readonly sharePidNamespace?: boolean;
  /** Milliseconds; 60 000 by default. */
  readonly bootDeadlineMs?: number;
  /** Milliseconds without a call or a process after which a warning says that the VM is still there; 300 000 by default, 0: none. */
  readonly idleWarningMs?: number;
  /** Without it the guest has its loopback only. */
  readonly network?: NetworkOptions;
  readonly signal?: AbortSignal;
}

export interface NetworkOptions {
  /** A path to the network namespace that the VM takes over, such as `/run/netns/pod`; never the caller's own. */
  readonly namespace: string;
  /** `tcfilter` by default. */
  readonly model?: InterworkingModel;
  /** Lines of resolv.conf, for the guest's own programs; containers have their files as mounts. */
  readonly dns?: readonly string[];
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
