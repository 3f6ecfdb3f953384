import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import type { EditableSpec } from "./bundle.ts";
import { rootOf } from "./engines/root/base-root.ts";
import type { Kata } from "./kata.ts";

/** What containers have that are a whole machine to their users: a service manager, package manager and engines. */
const PACKAGES = [
  ...["systemd", "systemd-sysv", "dbus", "apt", "procps", "iproute2", "iptables", "nftables", "busybox-static"],
  ...["docker.io", "docker-cli", "podman", "conmon", "crun", "netavark", "passt", "runc", "containerd"],
];

/** Packages that are installed in the container: users, services, links, and files that are made as they are configured. */
export const ARCHIVES = ["nginx-light", "cron", "python3-minimal"];

/** What Docker gives with `--privileged`, and what it gives without. */
const ALL = [
  ...["CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP"],
  ...["LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER"],
  ...["SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE"],
  ...["SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP"],
  ...["MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF"],
  "CHECKPOINT_RESTORE",
];
const DOCKERS = [
  ...["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE"],
  ...["NET_RAW", "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP"],
];

/** A container of a whole distribution, whose root file system is written to and goes with this. */
export class WholeMachine implements AsyncDisposable {
  readonly id: string;
  readonly #kata: Kata;
  readonly #directory: string;
  #ended: Promise<{ readonly exitCode?: number }> | undefined;

  private constructor(kata: Kata, id: string, directory: string) {
    this.#kata = kata;
    this.id = id;
    this.#directory = directory;
  }

  /** Starts one, once its first process runs. @param privileged as with Docker's option */
  static async start(
    kata: Kata,
    { args, privileged }: { args: readonly string[]; privileged: boolean },
    edit: (spec: EditableSpec) => void = () => undefined,
  ): Promise<WholeMachine> {
    const lower = await rootOf("machine-trixie", "trixie", PACKAGES, ARCHIVES);
    const directory = mkdtempSync(join(tmpdir(), "kata-e2e-machine-"));
    for (const name of ["upper", "work", "root"]) mkdirSync(join(directory, name));
    const machine = new WholeMachine(kata, kata.id(), directory);
    try {
      const layers = `lowerdir=${lower},upperdir=${join(directory, "upper")},workdir=${join(directory, "work")}`;
      await execa("mount", ["-t", "overlay", "-o", layers, "overlay", machine.root]);
      const { path } = await kata.bundle({
        args,
        env: ["container=oci", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        edit: (spec) => {
          machine.#describe(spec, privileged);
          edit(spec);
        },
      });
      await machine.#run(path);
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs the container, and waits until its first process does. */
  async #run(bundle: string): Promise<void> {
    const { program, root, globals } = this.#kata;
    const args = ["--root", root, ...globals, "run", "--bundle", bundle, this.id];
    const running = execa(program, args, { reject: false, stdin: "ignore", stdout: "ignore", stderr: ["pipe"] });
    this.#ended = running;
    let early: string | undefined;
    const over = running.then(({ stderr }) => {
      early = stderr;
    });
    for (;;) {
      const { exitCode, stdout } = await this.#kata.run(["state", this.id]);
      if (exitCode === 0 && (JSON.parse(stdout) as { status: string }).status === "running") return;
      if (early !== undefined) throw new Error(`the container has ended: ${early}`);
      await Promise.race([over, delay(100)]);
    }
  }

  /** The status that its first process has ended with. */
  async status(): Promise<number | undefined> {
    return (await this.#ended)?.exitCode;
  }

  /** Its root file system on the host. */
  get root(): string {
    return join(this.#directory, "root");
  }

  /** A shell's script in it, to its end. @throws Error when it fails */
  async sh(script: string): Promise<string> {
    return this.#kata.ok(["exec", this.id, "sh", "-ec", script]);
  }

  #describe(spec: EditableSpec, privileged: boolean): void {
    const capabilities = (privileged ? ALL : DOCKERS).map((name) => `CAP_${name}`);
    spec.root = { path: this.root, readonly: false };
    spec.process.noNewPrivileges = false;
    spec.process.capabilities = { bounding: capabilities, effective: capabilities, permitted: capabilities };
    delete spec.process.rlimits;
    const tmpfs = (destination: string, ...options: readonly string[]) => ({
      ...{ destination, type: "tmpfs", source: "tmpfs" },
      options: ["nosuid", "nodev", ...options],
    });
    const writable = spec.mounts.map((mount) =>
      mount.type === "cgroup" || (privileged && mount.type === "sysfs")
        ? { ...mount, options: (mount.options ?? []).filter((option) => option !== "ro") }
        : mount,
    );
    spec.mounts = [...writable, tmpfs("/run", "mode=755"), tmpfs("/tmp", "mode=1777")];
    const { maskedPaths, readonlyPaths, ...linux } = spec.linux as Record<string, unknown>;
    const namespaces = (linux.namespaces as { type: string }[]).filter(({ type }) => type !== "cgroup");
    spec.linux = {
      ...linux,
      ...(privileged ? {} : { maskedPaths, readonlyPaths }),
      namespaces: [...namespaces, { type: "cgroup" }],
      resources: {
        memory: { limit: 1024 * 2 ** 20 },
        ...(privileged ? { devices: [{ allow: true, access: "rwm" }] } : {}),
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kata.run(["delete", "--force", this.id]);
    await this.#ended;
    await execa("umount", [this.root], { reject: false });
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
