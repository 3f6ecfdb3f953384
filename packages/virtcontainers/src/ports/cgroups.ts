/** What the host's kernel is to hold a container's processes to, beside what the guest's does. */
export interface HostLimits {
  /** For everything in the cgroup: QEMU with the guest's memory, and its helpers. */
  readonly memoryBytes?: number;
  /** Relative weight, 2 to 262144: cgroup v1's. */
  readonly cpuShares?: number;
  /** Lists such as `0-3,6`. */
  readonly cpus?: string;
  readonly mems?: string;
}

export interface HostCgroup {
  /** What was made for it: one directory in each hierarchy. To be recorded, and given back with `remove`. */
  readonly directories: readonly string[];
  /** Makes the directories. @throws KataError KATA_CGROUP */
  make(): void;
  /** Moves a process in; what it starts later is in there, too. @throws KataError KATA_CGROUP */
  add(pid: number): void;
}

/** The cgroups of the host that engines read a container's cost from. */
export interface Cgroups {
  /** @param path `linux.cgroupsPath` of config.json; undefined: below the caller's, named by the container */
  open(path: string | undefined, containerId: string, limits: HostLimits): HostCgroup;
  /** Moves a process into a container's cgroups, as far as they are there. */
  add(directories: readonly string[], pid: number): void;
  /** Moves a process out of its cgroups to where nothing limits it and nobody is charged for it, as far as that is allowed. */
  moveToRoot(pid: number): void;
  /** Changes the limits that are given. */
  update(directories: readonly string[], limits: HostLimits): void;
  /** Removes what `open` made, once its processes have ended. Idempotent. */
  remove(directories: readonly string[]): Promise<void>;
}
