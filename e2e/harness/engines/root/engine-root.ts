import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Where some of cgroup v1's controllers are not mounted, podman makes plain directories in their place and stumbles
 * over them later. In this mount namespace /sys/fs/cgroup holds what is mounted and takes nothing else.
 */
const SCRIPT = `
set -e
view=$(mktemp -d)
mount -t tmpfs view "$view"
cd /sys/fs/cgroup
for name in *; do
  mountpoint -q "$name" || continue
  mkdir "$view/$name"
  mount --bind "$name" "$view/$name"
done
mount -o remount,ro,bind "$view"
cd /
if ! mountpoint -q /sys/fs/cgroup || [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  umount -l "$view"
else
  umount -l /sys/fs/cgroup
  mount --move "$view" /sys/fs/cgroup
fi
rmdir "$view"
echo ready
exec sleep infinity
`;

/** A mount namespace, kept by a process that sleeps in it. */
export class CgroupView implements AsyncDisposable {
  readonly #keeper: ChildProcess;

  private constructor(keeper: ChildProcess) {
    this.#keeper = keeper;
  }

  static async open(): Promise<CgroupView> {
    const keeper = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", SCRIPT], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(keeper.stdout, "data");
    return new CgroupView(keeper);
  }

  get mountNamespace(): string {
    return `/proc/${String(this.#keeper.pid)}/ns/mnt`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#keeper, "exit");
    this.#keeper.kill("SIGKILL");
    await ended;
  }
}
