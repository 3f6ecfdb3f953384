import { execa } from "execa";
import { GuestImageError } from "../errors.ts";

/** Where the caller's directory is inside. */
export const WORK = "/work";

// In a mount and a process namespace of its own: its mounts and whatever it starts end with it. The root itself is shared
// by builds and stays as it is.
const ENTER = `set -e
root=$1
# The work directory may be below the root, which is read-only under its name from here on: it is mounted as what it is now (-c).
cd "$2"
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/run"
mount -c --bind . "$root${WORK}"
cd=$3
shift 3
exec chroot "$root" /bin/sh -c 'cd "$1" && shift && exec env -i "$@"' sh "$cd" "$@"`;

/** Far more than a busy machine takes. */
const LIMIT_MS = 7_200_000;

export interface RunOptions {
  /** Below the work directory. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export class BuildRoot {
  readonly #dir: string;
  /** Names the tools and their versions. */
  readonly key: string;

  constructor(dir: string, key: string) {
    this.#dir = dir;
    this.key = key;
  }

  /**
   * Runs a program of the root on a directory of the host, which it sees as /work. It gets nothing of the caller's
   * environment. @throws GuestImageError with the program's own words
   */
  async run(work: string, command: readonly string[], options: RunOptions = {}): Promise<string> {
    const env = { PATH: "/usr/sbin:/usr/bin", HOME: "/tmp", LC_ALL: "C", ...options.env };
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const enter = ["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "sh", "-c", ENTER, "sh"];
    const result = await execa("unshare", [...enter, this.#dir, work, options.cwd ?? WORK, ...variables, ...command], {
      reject: false,
      timeout: LIMIT_MS,
      maxBuffer: 10_000_000,
      ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
    });
    if (!result.failed) return result.stdout;
    const said = `${result.stdout}\n${result.stderr}`.trim().slice(-2000);
    throw new GuestImageError(
      `${command.slice(0, 4).join(" ")}: ${said || String(result.shortMessage)}`,
      "building a guest needs root, and the right to mount",
    );
  }
}
