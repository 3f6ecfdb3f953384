import type { RuntimeSpec, SpecMount, SpecProcess } from "@kata-ts/agent-protocol";
import { numbersOf, type UserOption } from "./user.ts";

/** What a container gets when nothing else is asked for: runc's defaults. */
export interface ProcessDefaults {
  readonly args: readonly string[];
  readonly env?: readonly string[];
  readonly cwd?: string;
  /** Root by default. `www-data`, `www-data:ssl`, `1000`, `1000:1000`, or `{ uid, gid }`. */
  readonly user?: UserOption;
}

const CAPABILITIES: readonly string[] = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const MOUNTS: readonly SpecMount[] = [
  { destination: "/proc", type: "proc", source: "proc" },
  {
    destination: "/dev",
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
  },
  {
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
  },
  {
    destination: "/dev/shm",
    type: "tmpfs",
    source: "shm",
    options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
  },
  { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
  { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
  {
    destination: "/sys/fs/cgroup",
    type: "cgroup",
    source: "cgroup",
    options: ["nosuid", "noexec", "nodev", "relatime", "ro"],
  },
];

const MASKED: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/sys/firmware",
  "/proc/scsi",
];

const READONLY: readonly string[] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/**
 * Another process beside the first one of a container: with its user, environment, directory, capabilities and limits,
 * as far as nothing else is asked for. Variables are added to the container's, and replace those of the same name. A user who is to
 * be looked up by name is not in it.
 */
export function processBeside(first: SpecProcess, { args, env, cwd, user }: ProcessDefaults): SpecProcess {
  const numbers = user === undefined ? undefined : numbersOf(user);
  return {
    ...first,
    terminal: false,
    args,
    ...(env === undefined ? {} : { env: [...withoutNames(first.env ?? [], env), ...env] }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(numbers === undefined ? {} : { user: numbers }),
  };
}

function withoutNames(variables: readonly string[], others: readonly string[]): readonly string[] {
  const names = new Set(others.map(nameOf));
  return variables.filter((variable) => !names.has(nameOf(variable)));
}

function nameOf(variable: string): string {
  return variable.slice(0, variable.indexOf("="));
}

/**
 * config.json for a process with runc's default privileges, mounts and namespaces. A user who is to be looked up by name is root in
 * it.
 */
export function defaultSpec(process: ProcessDefaults): RuntimeSpec {
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: (process.user === undefined ? undefined : numbersOf(process.user)) ?? { uid: 0, gid: 0 },
      args: process.args,
      env: process.env ?? [PATH],
      cwd: process.cwd ?? "/",
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES, ambient: CAPABILITIES },
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: "rootfs" },
    mounts: MOUNTS,
    linux: {
      resources: { devices: [{ allow: false, access: "rwm" }] },
      namespaces: ["pid", "network", "ipc", "uts", "mount", "cgroup"].map((type) => ({ type })),
      maskedPaths: MASKED,
      readonlyPaths: READONLY,
    },
  };
}
