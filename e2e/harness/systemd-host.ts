import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type CommandResult, runCommand } from "./command.ts";

/** Units of a machine that has nothing but systemd and its bus. They come before the distribution's. */
const UNITS: Readonly<Record<string, string>> = {
  "dbus.socket": "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/dbus/system_bus_socket\n",
  "dbus.service": `[Unit]
DefaultDependencies=no
Requires=dbus.socket
[Service]
Type=notify
ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation
`,
  "kata-e2e.target": "[Unit]\nDefaultDependencies=no\nWants=dbus.service\n",
};

/** Into a cgroup of its own in every hierarchy, which is then the root of a namespace. */
const START = `
set -e
for directory in /sys/fs/cgroup /sys/fs/cgroup/*; do
  [ -e "$directory/cgroup.procs" ] || continue
  mkdir "$directory/$2"
  for file in cpuset.cpus cpuset.mems; do
    [ ! -e "$directory/$file" ] || [ ! -e "$directory/cgroup.clone_children" ] || cat "$directory/$file" >"$directory/$2/$file"
  done
  echo $$ >"$directory/$2/cgroup.procs"
done
exec unshare --pid --fork --kill-child --mount --propagation private --cgroup --mount-proc sh -c "$3" sh "$1"
`;

/** Cgroups as that namespace has them, a /run of its own; then systemd, which finds itself as process 1. */
const INSIDE = `
set -e
all=$(sed -n 's/.* \\([^ ]*\\) [^ ]* [^-]*- \\(cgroup2*\\) [^ ]* \\(.*\\)/\\1 \\2 \\3/p' /proc/self/mountinfo)
umount -R /sys/fs/cgroup
case "$all" in *"cgroup "*) mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup;; esac
echo "$all" | while read -r place type options; do
  mkdir -p "$place"
  options=$(echo "$options" | sed 's/^rw,*//; s/\\(name=\\)/none,\\1/')
  mount -t "$type" -o "rw$([ "$type" = cgroup2 ] || echo ",$options")" cgroup "$place"
done
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd/system /run/dbus /run/kata-ts
cp "$1"/* /run/systemd/system/
exec env -i PATH="$PATH" container=kata-e2e /lib/systemd/systemd --unit=kata-e2e.target \\
  --log-target=console --log-level=notice --show-status=no
`;
const CGROUPS = "/sys/fs/cgroup";
const DEADLINE_MS = 60_000;

/**
 * A host that systemd manages: the real one, as process 1 of pid, mount and cgroup namespaces of its own, over the cgroups
 * that this machine has. What runs in it runs under systemd's eyes.
 */
export class SystemdHost implements AsyncDisposable {
  /** Its cgroup's name in every hierarchy. */
  readonly cgroup: string = `kata-e2e-systemd-${String(process.pid)}`;
  readonly #unshare: ChildProcess;
  readonly #said: Buffer[] = [];
  #pid = 0;

  private constructor(units: string) {
    const words = ["-c", START, "sh", units, this.cgroup, INSIDE];
    this.#unshare = spawn("sh", words, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#unshare.stdout, this.#unshare.stderr]) {
      stream?.on("data", (data: Buffer) => this.#said.push(data));
    }
  }

  static async start(): Promise<SystemdHost> {
    const units = mkdtempSync(join(tmpdir(), "kata-e2e-units-"));
    for (const [name, text] of Object.entries(UNITS)) writeFileSync(join(units, name), text);
    const host = new SystemdHost(units);
    await host.#whenUp();
    rmSync(units, { recursive: true });
    return host;
  }

  /** Runs a program on that host. */
  run(program: string, args: readonly string[]): Promise<CommandResult> {
    return runCommand("nsenter", ["--target", String(this.#pid), "--mount", "--pid", "--cgroup", program, ...args]);
  }

  /** A cgroup of that host in every hierarchy that has it, as this machine's directories. */
  directories(path: string): string[] {
    const hierarchies = [CGROUPS, ...readdirSync(CGROUPS).map((name) => join(CGROUPS, name))];
    return hierarchies.map((hierarchy) => join(hierarchy, this.cgroup, path)).filter((each) => existsSync(each));
  }

  async ok(program: string, args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(program, args);
    if (exitCode !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  async #whenUp(): Promise<void> {
    const giveUpAt = performance.now() + DEADLINE_MS;
    for (;;) {
      this.#pid = this.#child();
      const isUp = this.#pid > 0 && (await this.run("busctl", ["status", "org.freedesktop.systemd1"])).exitCode === 0;
      if (isUp) return;
      if (this.#unshare.exitCode !== null || performance.now() > giveUpAt) {
        throw new Error(`systemd has not come up: ${Buffer.concat(this.#said).toString()}`);
      }
      await delay(50);
    }
  }

  /** systemd is the one child of unshare. */
  #child(): number {
    const { pid = 0 } = this.#unshare;
    try {
      return Number(
        readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, "latin1")
          .trim()
          .split(" ")[0],
      );
    } catch {
      return 0;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#unshare.exitCode === null) {
      const ended = once(this.#unshare, "exit");
      this.#unshare.kill("SIGKILL");
      await ended;
    }
    // Its processes end with their process 1, a moment later.
    for (const directory of this.directories("")) {
      while (!isRemoved(directory)) await delay(20);
    }
  }
}

function isRemoved(directory: string): boolean {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory() && !isRemoved(join(directory, entry.name))) return false;
  }
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EBUSY") return false;
    throw error;
  }
}
