import { OCI_VERSION, VERSION } from "@kata-ts/runtime";

/**
 * Those that the host and the guest's runtime apply. `rshared` and `idmap` are not among them: they are refused. crun 1.21
 * fails for recursive options of access times (`rnoatime` and the like).
 */
const MOUNT_OPTIONS = [
  ...["async", "atime", "bind", "defaults", "dev", "diratime", "dirsync", "exec", "iversion", "lazytime", "loud"],
  ...["mand", "noatime", "nodev", "nodiratime", "noexec", "noiversion", "nolazytime", "nomand", "norelatime"],
  ...["nostrictatime", "nosuid", "private", "rbind", "rdev", "relatime", "rexec"],
  ...["rnodev", "rnoexec", "rnosuid", "ro", "rprivate"],
  ...["rro", "rrw", "rslave", "rsuid", "runbindable", "rw", "silent", "slave", "strictatime", "suid"],
  ...["sync", "tmpcopyup", "unbindable"],
];

const CAPABILITIES = [
  ...["CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP"],
  ...["LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER"],
  ...["SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE"],
  ...["SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP"],
  ...["MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF"],
  "CHECKPOINT_RESTORE",
].map((name) => `CAP_${name}`);

/** A listener of SCMP_ACT_NOTIFY is a socket of the host's: docs/oci-spec.md. */
const SECCOMP = {
  enabled: true,
  actions: ["ALLOW", "ERRNO", "KILL", "KILL_PROCESS", "KILL_THREAD", "LOG", "TRACE", "TRAP"].map(
    (name) => `SCMP_ACT_${name}`,
  ),
  operators: ["EQ", "GE", "GT", "LE", "LT", "MASKED_EQ", "NE"].map((name) => `SCMP_CMP_${name}`),
  archs: ["X86", "X86_64", "X32"].map((name) => `SCMP_ARCH_${name}`),
  knownFlags: ["TSYNC", "SPEC_ALLOW", "LOG"].map((name) => `SECCOMP_FILTER_FLAG_${name}`),
  supportedFlags: ["TSYNC", "SPEC_ALLOW", "LOG"].map((name) => `SECCOMP_FILTER_FLAG_${name}`),
};

/**
 * The specification's feature document. Engines decide by it: Docker and containerd make read-only binds recursively so
 * where `rro` is among the options, and containerd asks for mapped owners only where `idmap` is enabled.
 */
export const FEATURES: Readonly<Record<string, unknown>> = {
  ociVersionMin: "1.0.0",
  ociVersionMax: OCI_VERSION,
  hooks: ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
  mountOptions: MOUNT_OPTIONS,
  linux: {
    namespaces: ["cgroup", "ipc", "mount", "network", "pid", "user", "uts"],
    capabilities: CAPABILITIES,
    // What the engine's host has: cgroupsPath and limits are honoured in all of them.
    cgroup: { v1: true, v2: true, systemd: true, systemdUser: false, rdma: false },
    seccomp: SECCOMP,
    apparmor: { enabled: false },
    selinux: { enabled: false },
    intelRdt: { enabled: false },
    netDevices: { enabled: false },
    mountExtensions: { idmap: { enabled: false } },
  },
  // They change the virtual machine: an engine accepts them from trusted users only.
  potentiallyUnsafeConfigAnnotations: ["io.katacontainers.config."],
  annotations: { "io.kata-ts.version": VERSION },
};
