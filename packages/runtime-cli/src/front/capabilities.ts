import { UsageError } from "../arguments/parse.ts";

/** What Docker gives a container: package managers and servers that change their user need it. */
const GIVEN = [
  ...["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE"],
  ...["NET_RAW", "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP"],
];

/** The others that Linux has. */
const OTHERS = [
  ...[
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "DAC_READ_SEARCH",
    "IPC_LOCK",
    "IPC_OWNER",
  ],
  ...[
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "NET_ADMIN",
    "NET_BROADCAST",
    "PERFMON",
    "SYSLOG",
    "SYS_ADMIN",
  ],
  ...["SYS_BOOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME"],
  ...["SYS_TTY_CONFIG", "WAKE_ALARM"],
];
const ALL = "ALL";

/**
 * The capabilities of a container: Docker's, with those of `--cap-add` and without those of `--cap-drop`. `ALL` among the added or the
 * dropped is where the others of the list begin from.
 *
 * @throws UsageError
 */
export function parseCapabilities(added: readonly string[], dropped: readonly string[]): string[] {
  const [plus, minus] = [
    added.map((text) => nameOf(text, "--cap-add")),
    dropped.map((text) => nameOf(text, "--cap-drop")),
  ];
  const both = plus.find((name) => minus.includes(name));
  if (both !== undefined) throw new UsageError(`--cap-add and --cap-drop both name ${both}`);
  const every = [...GIVEN, ...OTHERS];
  const start = plus.includes(ALL) ? every : minus.includes(ALL) ? [] : GIVEN;
  const names = new Set([...start, ...plus.filter((name) => name !== ALL)]);
  for (const name of minus) names.delete(name);
  return [...names].map((name) => `CAP_${name}`);
}

function nameOf(text: string, option: string): string {
  const name = text.toUpperCase().replace(/^CAP_/, "");
  if (name === ALL || GIVEN.includes(name) || OTHERS.includes(name)) return name;
  throw new UsageError(`${option}: "${text}" is no capability of Linux`);
}
