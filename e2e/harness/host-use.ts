import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** How much of the host is in use now. */
export class HostUse {
  readonly mounts: number = readFileSync("/proc/self/mountinfo", "latin1").split("\n").length;
  readonly networkNamespaces: number = namespaces("net");
  /** Of all processes. */
  readonly openFiles: number = Number(readFileSync("/proc/sys/fs/file-nr", "latin1").split("\t")[0]);
  /** The kernel's own memory that it cannot give back. */
  readonly kernelKiB: number = field("SUnreclaim") + field("KernelStack") + field("PageTables") + field("Percpu");
}

function field(name: string): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync("/proc/meminfo", "latin1"));
  return Number(line?.[1] ?? 0);
}

/** Those that some process is in. */
function namespaces(kind: string): number {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return new Set(
    pids.flatMap((pid) => {
      try {
        return [readlinkSync(`/proc/${pid}/ns/${kind}`)];
      } catch {
        return [];
      }
    }),
  ).size;
}
