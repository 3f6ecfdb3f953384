/**
 * config.json of the OCI runtime specification. Not every property is named here, and the Kata 1.x contract cannot
 * carry all of them; as JSON they all pass through. 64-bit numbers that a
 * double cannot hold are bigints: read and write them with parseJson and stringifyJson.
 */
export type Int64 = number | bigint;

export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly process?: SpecProcess;
  readonly root?: SpecRoot;
  readonly hostname?: string;
  readonly mounts?: readonly SpecMount[];
  readonly hooks?: SpecHooks;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux?: SpecLinux;
}

export interface SpecProcess {
  readonly terminal?: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user?: SpecUser;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly cwd: string;
  readonly capabilities?: SpecCapabilities;
  readonly rlimits?: readonly SpecRlimit[];
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  readonly oomScoreAdj?: Int64;
  readonly selinuxLabel?: string;
}

export interface SpecUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids?: readonly number[];
  readonly username?: string;
}

export interface SpecCapabilities {
  readonly bounding?: readonly string[];
  readonly effective?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly permitted?: readonly string[];
  readonly ambient?: readonly string[];
}

export interface SpecRlimit {
  readonly type: string;
  readonly hard: Int64;
  readonly soft: Int64;
}

export interface SpecRoot {
  readonly path: string;
  readonly readonly?: boolean;
}

export interface SpecMount {
  readonly destination: string;
  readonly source?: string;
  readonly type?: string;
  readonly options?: readonly string[];
}

export interface SpecHook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: Int64;
}

export interface SpecHooks {
  readonly prestart?: readonly SpecHook[];
  /** This and the next two are not in oci.proto. */
  readonly createRuntime?: readonly SpecHook[];
  readonly createContainer?: readonly SpecHook[];
  readonly startContainer?: readonly SpecHook[];
  readonly poststart?: readonly SpecHook[];
  readonly poststop?: readonly SpecHook[];
}

export interface SpecIdMapping {
  readonly hostID: number;
  readonly containerID: number;
  readonly size: number;
}

export interface SpecNamespace {
  readonly type: string;
  readonly path?: string;
}

export interface SpecDevice {
  readonly path: string;
  readonly type: string;
  readonly major?: Int64;
  readonly minor?: Int64;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface SpecLinux {
  readonly uidMappings?: readonly SpecIdMapping[];
  readonly gidMappings?: readonly SpecIdMapping[];
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly resources?: SpecResources;
  readonly cgroupsPath?: string;
  readonly namespaces?: readonly SpecNamespace[];
  readonly devices?: readonly SpecDevice[];
  readonly seccomp?: SpecSeccomp;
  readonly rootfsPropagation?: string;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly mountLabel?: string;
  readonly intelRdt?: { readonly l3CacheSchema?: string };
}

export interface SpecResources {
  readonly devices?: readonly SpecDeviceRule[];
  readonly memory?: SpecMemory;
  readonly cpu?: SpecCpu;
  readonly pids?: { readonly limit: Int64 };
  readonly blockIO?: SpecBlockIO;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: Int64 }[];
  readonly network?: SpecNetwork;
}

export interface SpecDeviceRule {
  readonly allow: boolean;
  readonly type?: string;
  readonly major?: Int64;
  readonly minor?: Int64;
  readonly access?: string;
}

export interface SpecMemory {
  readonly limit?: Int64;
  readonly reservation?: Int64;
  readonly swap?: Int64;
  readonly kernel?: Int64;
  readonly kernelTCP?: Int64;
  readonly swappiness?: Int64;
  readonly disableOOMKiller?: boolean;
}

export interface SpecCpu {
  readonly shares?: Int64;
  readonly quota?: Int64;
  readonly period?: Int64;
  readonly realtimeRuntime?: Int64;
  readonly realtimePeriod?: Int64;
  readonly cpus?: string;
  readonly mems?: string;
}

export interface SpecWeightDevice {
  readonly major: Int64;
  readonly minor: Int64;
  readonly weight?: number;
  readonly leafWeight?: number;
}

export interface SpecThrottleDevice {
  readonly major: Int64;
  readonly minor: Int64;
  readonly rate: Int64;
}

export interface SpecBlockIO {
  readonly weight?: number;
  readonly leafWeight?: number;
  readonly weightDevice?: readonly SpecWeightDevice[];
  readonly throttleReadBpsDevice?: readonly SpecThrottleDevice[];
  readonly throttleWriteBpsDevice?: readonly SpecThrottleDevice[];
  readonly throttleReadIOPSDevice?: readonly SpecThrottleDevice[];
  readonly throttleWriteIOPSDevice?: readonly SpecThrottleDevice[];
}

export interface SpecNetwork {
  readonly classID?: number;
  readonly priorities?: readonly { readonly name: string; readonly priority: number }[];
}

export interface SpecSeccomp {
  readonly defaultAction: string;
  readonly architectures?: readonly string[];
  readonly syscalls?: readonly SpecSyscall[];
}

export interface SpecSyscall {
  readonly names: readonly string[];
  readonly action: string;
  readonly args?: readonly SpecSyscallArg[];
}

export interface SpecSyscallArg {
  readonly index: Int64;
  readonly value: Int64;
  readonly valueTwo?: Int64;
  readonly op: string;
}
