/** What the host's kernel is to hold a container's processes to, beside what the guest's does. */
export interface HostLimits {
  /** For everything in the cgroup: QEMU with the guest's memory, and its helpers. Negative: no limit. */
  readonly memoryBytes?: number | undefined;
  /** Relative weight, 2 to 262144: cgroup v1's. */
  readonly cpuShares?: number | undefined;
  /** CPU time of everything in the cgroup. */
  readonly cpuTime?: CpuTime | undefined;
  /** Processes and threads of the host. Negative: no limit. */
  readonly tasks?: number | undefined;
  /** Lists such as `0-3,6`. */
  readonly cpus?: string | undefined;
  readonly mems?: string | undefined;
  readonly blockIo?: HostBlockIo | undefined;
}

/** Microseconds of CPU time in a period, whose length is in microseconds, too. A negative quota is no limit. */
export interface CpuTime {
  readonly quota: number;
  readonly period: number;
}

/** Block I/O that the VM does for its containers: on devices of the host, by their numbers. */
export interface HostBlockIo {
  /** 10 to 1000: cgroup v1's. */
  readonly weight?: number | undefined;
  readonly throttles: readonly Throttle[];
}

export interface Throttle {
  readonly kind: "readBytes" | "writeBytes" | "readOperations" | "writeOperations";
  /** `8:0`. */
  readonly device: string;
  readonly perSecond: number;
}

/** What was made on the host for a container's processes; a part of its record. */
export interface CgroupPlace {
  /** One in each hierarchy. */
  readonly directories: readonly string[];
  /** The unit of systemd that the directories belong to. */
  readonly unit?: string | undefined;
}

/** Records of earlier versions have the directories alone. */
export type RecordedCgroup = CgroupPlace | readonly string[];

export interface HostCgroup {
  /** To be recorded before anything is made, and given back with `remove`. */
  readonly place: CgroupPlace;
  /** Makes the directories, unless systemd does. @throws KataError KATA_CGROUP */
  make(): void;
  /** Moves the first process in; it is what systemd makes a scope for. @throws KataError KATA_CGROUP */
  begin(pid: number): Promise<void>;
  /** Moves another process in; what it starts later is in there, too. @throws KataError KATA_CGROUP */
  add(pid: number): void;
}

/** The cgroups of the host that engines read a container's cost from. */
export interface Cgroups {
  /**
   * @param path `linux.cgroupsPath` of config.json; undefined: near the caller's, named by the container
   * @throws KataError KATA_CGROUP when it cannot be made, before anything is
   */
  open(path: string | undefined, containerId: string, limits: HostLimits): HostCgroup;
  /** Moves a process into a container's cgroups, as far as they are there. */
  add(place: RecordedCgroup | undefined, pid: number): void;
  /** Moves a process out of its cgroups to where nothing limits it and its use is charged to no container, as far as that is allowed. */
  moveToRoot(pid: number): void;
  /** Changes the limits that are given. */
  update(place: RecordedCgroup | undefined, limits: HostLimits): Promise<void>;
  /** Lets processes go on that another program has frozen: only then can they end. */
  thaw(place: RecordedCgroup | undefined): void;
  /** Removes what `open` made, once its processes have ended. Idempotent. */
  remove(place: RecordedCgroup | undefined): Promise<void>;
}
