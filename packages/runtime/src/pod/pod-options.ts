import type { Installation } from "../config/installation.ts";
import type { PortMakers, RuntimeContext } from "../context.ts";
import type { CallLog } from "../observe/call-log.ts";

const DEFAULT_ROOT = "/run/kata-ts/containers";

/** What a pod of this process is made with. */
export interface PodOptions {
  /** The directory that the records of containers are in; kata-runtime's by default. */
  readonly root?: string | undefined;
  /** The configuration.toml to use; by default the first of the usual places that exists. */
  readonly config?: string | undefined;
  /** Whether systemd makes the pod's cgroup. */
  readonly systemdCgroup?: boolean | undefined;
  readonly installation: Installation;
  readonly log: CallLog;
  /** Ports that are made in another way: fakes in tests. */
  readonly makers?: Partial<PortMakers> | undefined;
}

export function contextOf(
  { root = DEFAULT_ROOT, config, systemdCgroup = false, installation, log }: PodOptions,
  makers: Partial<PortMakers>,
): RuntimeContext {
  const timeline = { note: () => undefined };
  return { root, config, systemdCgroup, installation, log, logOptions: [], timeline, makers };
}
