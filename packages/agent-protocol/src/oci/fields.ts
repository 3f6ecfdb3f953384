/**
 * How config.json's fields map to the contract's oci.proto: one table per message, read in both directions by
 * convert.ts. The first name is the message's, the second config.json's.
 */
export type FieldKind =
  | "scalar"
  /** Emitted even when zero or empty, because config.json requires it or because absence means something else. */
  | "required"
  | "int64"
  | "requiredInt64"
  | "uint64"
  | "requiredUint64"
  | "list"
  | "requiredList"
  | "map"
  /** A device number: absent in config.json is -1 on the wire, libcontainer's wildcard. */
  | "deviceNumber"
  | MessageFields
  | readonly [MessageFields];

export type MessageFields = readonly (readonly [message: string, json: string, kind: FieldKind])[];

const user: MessageFields = [
  ["UID", "uid", "required"],
  ["GID", "gid", "required"],
  ["AdditionalGids", "additionalGids", "list"],
  ["Username", "username", "scalar"],
];

// Present but empty capabilities mean "none at all", so every set is spelled out.
const capabilities: MessageFields = [
  ["Bounding", "bounding", "requiredList"],
  ["Effective", "effective", "requiredList"],
  ["Inheritable", "inheritable", "requiredList"],
  ["Permitted", "permitted", "requiredList"],
  ["Ambient", "ambient", "requiredList"],
];

const box: MessageFields = [
  ["Height", "height", "required"],
  ["Width", "width", "required"],
];

const rlimit: MessageFields = [
  ["Type", "type", "required"],
  ["Hard", "hard", "requiredUint64"],
  ["Soft", "soft", "requiredUint64"],
];

export const processFields: MessageFields = [
  ["Terminal", "terminal", "scalar"],
  ["ConsoleSize", "consoleSize", box],
  ["User", "user", user],
  ["Args", "args", "list"],
  ["Env", "env", "list"],
  ["Cwd", "cwd", "required"],
  ["Capabilities", "capabilities", capabilities],
  ["Rlimits", "rlimits", [rlimit]],
  ["NoNewPrivileges", "noNewPrivileges", "scalar"],
  ["ApparmorProfile", "apparmorProfile", "scalar"],
  ["OOMScoreAdj", "oomScoreAdj", "int64"],
  ["SelinuxLabel", "selinuxLabel", "scalar"],
];

const root: MessageFields = [
  ["Path", "path", "required"],
  ["Readonly", "readonly", "scalar"],
];

const mount: MessageFields = [
  ["destination", "destination", "required"],
  ["source", "source", "scalar"],
  ["type", "type", "scalar"],
  ["options", "options", "list"],
];

const hook: MessageFields = [
  ["Path", "path", "required"],
  ["Args", "args", "list"],
  ["Env", "env", "list"],
  ["Timeout", "timeout", "int64"],
];

const hooks: MessageFields = [
  ["Prestart", "prestart", [hook]],
  ["Poststart", "poststart", [hook]],
  ["Poststop", "poststop", [hook]],
];

const idMapping: MessageFields = [
  ["HostID", "hostID", "required"],
  ["ContainerID", "containerID", "required"],
  ["Size", "size", "required"],
];

const namespace: MessageFields = [
  ["Type", "type", "required"],
  ["Path", "path", "scalar"],
];

const device: MessageFields = [
  ["Path", "path", "required"],
  ["Type", "type", "required"],
  ["Major", "major", "requiredInt64"],
  ["Minor", "minor", "requiredInt64"],
  ["FileMode", "fileMode", "scalar"],
  ["UID", "uid", "scalar"],
  ["GID", "gid", "scalar"],
];

const deviceRule: MessageFields = [
  ["Allow", "allow", "required"],
  ["Type", "type", "scalar"],
  ["Major", "major", "deviceNumber"],
  ["Minor", "minor", "deviceNumber"],
  ["Access", "access", "scalar"],
];

const memory: MessageFields = [
  ["Limit", "limit", "int64"],
  ["Reservation", "reservation", "int64"],
  ["Swap", "swap", "int64"],
  ["Kernel", "kernel", "int64"],
  ["KernelTCP", "kernelTCP", "int64"],
  ["Swappiness", "swappiness", "uint64"],
  ["DisableOOMKiller", "disableOOMKiller", "scalar"],
];

const cpu: MessageFields = [
  ["Shares", "shares", "uint64"],
  ["Quota", "quota", "int64"],
  ["Period", "period", "uint64"],
  ["RealtimeRuntime", "realtimeRuntime", "int64"],
  ["RealtimePeriod", "realtimePeriod", "uint64"],
  ["Cpus", "cpus", "scalar"],
  ["Mems", "mems", "scalar"],
];

const weightDevice: MessageFields = [
  ["Major", "major", "requiredInt64"],
  ["Minor", "minor", "requiredInt64"],
  ["Weight", "weight", "scalar"],
  ["LeafWeight", "leafWeight", "scalar"],
];

const throttleDevice: MessageFields = [
  ["Major", "major", "requiredInt64"],
  ["Minor", "minor", "requiredInt64"],
  ["Rate", "rate", "requiredUint64"],
];

const blockIO: MessageFields = [
  ["Weight", "weight", "scalar"],
  ["LeafWeight", "leafWeight", "scalar"],
  ["WeightDevice", "weightDevice", [weightDevice]],
  ["ThrottleReadBpsDevice", "throttleReadBpsDevice", [throttleDevice]],
  ["ThrottleWriteBpsDevice", "throttleWriteBpsDevice", [throttleDevice]],
  ["ThrottleReadIOPSDevice", "throttleReadIOPSDevice", [throttleDevice]],
  ["ThrottleWriteIOPSDevice", "throttleWriteIOPSDevice", [throttleDevice]],
];

export const resourcesFields: MessageFields = [
  ["Devices", "devices", [deviceRule]],
  ["Memory", "memory", memory],
  ["CPU", "cpu", cpu],
  ["Pids", "pids", [["Limit", "limit", "requiredInt64"]]],
  ["BlockIO", "blockIO", blockIO],
  [
    "HugepageLimits",
    "hugepageLimits",
    [
      [
        ["Pagesize", "pageSize", "required"],
        ["Limit", "limit", "requiredUint64"],
      ],
    ],
  ],
  [
    "Network",
    "network",
    [
      ["ClassID", "classID", "scalar"],
      [
        "Priorities",
        "priorities",
        [
          [
            ["Name", "name", "required"],
            ["Priority", "priority", "required"],
          ],
        ],
      ],
    ],
  ],
];

const seccompArg: MessageFields = [
  ["Index", "index", "requiredUint64"],
  ["Value", "value", "requiredUint64"],
  ["ValueTwo", "valueTwo", "uint64"],
  ["Op", "op", "required"],
];

const syscall: MessageFields = [
  ["Names", "names", "requiredList"],
  ["Action", "action", "required"],
  ["Args", "args", [seccompArg]],
];

const seccomp: MessageFields = [
  ["DefaultAction", "defaultAction", "required"],
  ["Architectures", "architectures", "list"],
  ["Syscalls", "syscalls", [syscall]],
];

const linux: MessageFields = [
  ["UIDMappings", "uidMappings", [idMapping]],
  ["GIDMappings", "gidMappings", [idMapping]],
  ["Sysctl", "sysctl", "map"],
  ["Resources", "resources", resourcesFields],
  ["CgroupsPath", "cgroupsPath", "scalar"],
  ["Namespaces", "namespaces", [namespace]],
  ["Devices", "devices", [device]],
  ["Seccomp", "seccomp", seccomp],
  ["RootfsPropagation", "rootfsPropagation", "scalar"],
  ["MaskedPaths", "maskedPaths", "list"],
  ["ReadonlyPaths", "readonlyPaths", "list"],
  ["MountLabel", "mountLabel", "scalar"],
  ["IntelRdt", "intelRdt", [["L3CacheSchema", "l3CacheSchema", "scalar"]]],
];

export const specFields: MessageFields = [
  ["Version", "ociVersion", "required"],
  ["Process", "process", processFields],
  ["Root", "root", root],
  ["Hostname", "hostname", "scalar"],
  ["Mounts", "mounts", [mount]],
  ["Hooks", "hooks", hooks],
  ["Annotations", "annotations", "map"],
  ["Linux", "linux", linux],
];
