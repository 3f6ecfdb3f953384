import { readFileSync } from "node:fs";

/** A mount of this process's mount namespace, as /proc/self/mountinfo has it. */
export interface HostMount {
  /** The file system's number, `MAJOR:MINOR`: the same for all mounts of one. */
  readonly device: string;
  /** What of the file system is mounted: `/`, or a directory or file in it. */
  readonly root: string;
  readonly point: string;
  readonly readonly: boolean;
  readonly fsType: string;
  /** As it was given to mount(2): a device, or any word. */
  readonly source: string;
}

/** In the order in which they were mounted, as a rule. */
export function mountTable(mountinfo: string = readFileSync("/proc/thread-self/mountinfo", "utf8")): HostMount[] {
  return mountinfo.split("\n").filter(Boolean).map(mountOf);
}

function mountOf(line: string): HostMount {
  const [head = "", tail = ""] = line.split(" - ");
  const [, , device = "", root = "", point = "", flags = ""] = head.split(" ");
  const [fsType = "", source = ""] = tail.split(" ");
  return {
    device,
    root: unescaped(root),
    point: unescaped(point),
    readonly: flags.split(",").includes("ro"),
    fsType,
    source: unescaped(source),
  };
}

/** mountinfo writes blanks, line ends and backslashes as octal numbers. */
function unescaped(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** The mount that a path is in. Of mounts on one mount point the last is seen. @param path without links */
export function coveringMount(mounts: readonly HostMount[], path: string): HostMount | undefined {
  const covers = ({ point }: HostMount): boolean =>
    point === path || point === "/" || (point !== "" && path.startsWith(`${point}/`));
  let covering: HostMount | undefined;
  for (const mount of mounts) {
    if (covers(mount) && mount.point.length >= (covering?.point.length ?? 0)) covering = mount;
  }
  return covering;
}
