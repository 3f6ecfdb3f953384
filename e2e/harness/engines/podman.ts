import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { type CommandOptions, type CommandResult, runCommand } from "../command.ts";
import { busyboxRootfs, pythonRootfs } from "../images.ts";
import { TestNetwork } from "../network.ts";
import { RUNTIME } from "../paths.ts";
import { EngineCgroups } from "./engine-cgroups.ts";
import { EngineRoot, savableConfiguration } from "./root/engine-root.ts";

/** What podman's clean-up may take after a container has been removed. */
const SETTLED_MS = 60_000;

/** podman from a distribution, and with it conmon, with storage and networks of its own. */
export class Podman implements AsyncDisposable {
  readonly #directory: string;
  readonly #enter: readonly string[];
  readonly #resources: AsyncDisposableStack;

  private constructor(directory: string, enter: readonly string[], resources: AsyncDisposableStack) {
    this.#directory = directory;
    this.#enter = enter;
    this.#resources = resources;
  }

  static async start(): Promise<Podman> {
    await using resources = new AsyncDisposableStack();
    const directory = resources.adopt(mkdtempSync("/tmp/e2e-podman-"), (path) => {
      rmSync(path, { recursive: true, force: true });
    });
    resources.use(new EngineCgroups("libpod_parent"));
    const namespace = await resources.use(new TestNetwork()).namespace();
    const root = resources.use(await EngineRoot.open());
    writeConfiguration(directory, (await runCommand(RUNTIME, ["kata-engine", "podman"])).stdout);
    writeSavableRuntime(directory);
    const enter = [`--net=${namespace}`, root.mount];
    const podman = new Podman(directory, enter, resources.move());
    await podman.#import("localhost/busybox", await busyboxRootfs(), "sh");
    await podman.#import("localhost/python", await pythonRootfs(), "python3");
    await podman.#import("localhost/pause", await busyboxRootfs(), "sleep 1000000");
    return podman;
  }

  /** Never rejects for a failing command. */
  run(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand("nsenter", [...this.#enter, "podman", ...args], { ...options, env: this.#env });
  }

  /** As run, for a command that has to succeed. @returns what it printed */
  async ok(...args: readonly string[]): Promise<string> {
    const result = await this.run(args);
    if (result.exitCode !== 0) throw new Error(`podman ${args.join(" ")}: ${result.stderr}`);
    return result.stdout;
  }

  /** As ok, for buildah, which builds on the same storage. */
  async buildah(...args: readonly string[]): Promise<string> {
    const result = await runCommand("nsenter", [...this.#enter, "buildah", ...args], { env: this.#env });
    if (result.exitCode !== 0) throw new Error(`buildah ${args.join(" ")}: ${result.stderr}`);
    return result.stdout;
  }

  /** The units of systemd that Quadlet makes of a directory of the tests' own. */
  async quadlet(name: string): Promise<string> {
    const env = { ...this.#env, QUADLET_UNIT_DIRS: join(this.#directory, "files", name) };
    const made = await runCommand("nsenter", [...this.#enter, "/usr/libexec/podman/quadlet", "-dryrun"], { env });
    if (made.exitCode !== 0) throw new Error(`quadlet: ${made.stderr}`);
    return made.stdout;
  }

  /** Runs a command as a unit has it. */
  async line(command: string): Promise<void> {
    const result = await runCommand("nsenter", [...this.#enter, "sh", "-c", command], { env: this.#env });
    if (result.exitCode !== 0) throw new Error(`${command}: ${result.stderr}`);
  }

  /** Runs a program of the host in podman's network. @returns what it printed */
  async inNamespace(...command: readonly string[]): Promise<string> {
    const result = await runCommand("nsenter", [this.#enter[0] ?? "", ...command]);
    if (result.exitCode !== 0) throw new Error(`${command.join(" ")}: ${result.stderr}`);
    return result.stdout;
  }

  /**
   * Waits until every conmon has ended: podman does not wait for the one that cleans up after a container.
   *
   * @throws Error naming the containers that a test has left; they are removed
   */
  async settled(): Promise<void> {
    const giveUpAt = performance.now() + SETTLED_MS;
    while ((await runCommand("pgrep", ["-f", `conmon.*${this.#directory}`])).exitCode === 0) {
      if (performance.now() < giveUpAt) continue;
      const left = await this.ok("ps", "--all", "--format", "{{.Names}}");
      await this.#removeAll();
      throw new Error(`the test has left containers: ${left.replaceAll("\n", ", ")}`);
    }
  }

  async #removeAll(): Promise<void> {
    await this.ok("pod", "rm", "--all", "--force");
    await this.ok("rm", "--all", "--force", "--time", "0");
  }

  /** Waits until a line of a container's log is this one. */
  async logged(container: string, wanted: string): Promise<void> {
    const child = spawn("nsenter", [...this.#enter, "podman", "logs", "--follow", container], {
      stdio: ["ignore", "pipe", "ignore"],
      env: this.#env,
    });
    try {
      for await (const line of createInterface(child.stdout)) if (line === wanted) return;
    } finally {
      child.kill("SIGKILL");
    }
    throw new Error(`${container} ended without saying "${wanted}"`);
  }

  /** Runs podman with a controlling terminal, and answers "yes". @returns what the terminal showed */
  async inTerminal(...args: readonly string[]): Promise<string> {
    const words = ["nsenter", ...this.#enter, "podman", ...args];
    const command = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const options = { input: "yes\n", env: this.#env };
    return (await runCommand("script", ["-qec", command, "/dev/null"], options)).stdout;
  }

  /** Has a runtime delete what podman has forgotten, where it has left anything. */
  async deleteLeftover(runtime: string, id: string): Promise<void> {
    const program = runtime === "runc" ? "/usr/sbin/runc" : RUNTIME;
    const root = [`/run/${runtime}`, `/run/${runtime}-runtime`, "/run/kata-ts/containers"].find((each) =>
      existsSync(join(each, id)),
    );
    if (root === undefined) return;
    const result = await runCommand("nsenter", [...this.#enter, program, "--root", root, "delete", "--force", id]);
    if (result.exitCode !== 0) throw new Error(result.stderr);
  }

  directory(name: string): string {
    const path = join(this.#directory, "files", name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  file(name: string, content: string): string {
    const path = join(this.directory("."), name);
    writeFileSync(path, content);
    return path;
  }

  read(name: string): string {
    return readFileSync(join(this.#directory, "files", name), "utf8");
  }

  /** A directory that is the whole file system of a block device, where podman is. */
  async blockDirectory(name: string): Promise<AsyncDisposable & { readonly path: string }> {
    await using undo = new AsyncDisposableStack();
    const [path, disk] = [this.directory(name), join(this.#directory, "files", `${name}.ext4`)];
    await execa("mke2fs", ["-q", "-t", "ext4", "-d", await busyboxRootfs(), disk, "64m"]);
    const { stdout: device } = await execa("losetup", ["--find", "--show", disk]);
    undo.defer(async () => {
      await execa("losetup", ["--detach", device]);
    });
    await this.line(`mount ${device} ${path}`);
    // A container that has had the device leaves it unmounted.
    undo.defer(() => this.line(`! mountpoint -q ${path} || umount ${path}`));
    const undone = undo.move();
    return { path, [Symbol.asyncDispose]: () => undone.disposeAsync() };
  }

  get #env(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? "/usr/sbin:/usr/bin",
      CONTAINERS_CONF: join(this.#directory, "containers.conf"),
      CONTAINERS_STORAGE_CONF: join(this.#directory, "storage.conf"),
      // podman 5 has nothing else to say of many a command.
      PODMAN_IGNORE_CGROUPSV1_WARNING: "1",
    };
  }

  async #import(name: string, rootfs: string, command: string): Promise<void> {
    const archive = join(this.#directory, "image.tar");
    await runCommand("tar", ["-C", rootfs, "-cf", archive, "."]);
    await this.ok(
      "import",
      "--change",
      "ENV PATH=/usr/bin:/bin",
      "--change",
      `CMD ${command}`,
      archive,
      `${name}:latest`,
    );
    rmSync(archive);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#removeAll();
    await this.settled();
    // It mounts its storage on itself.
    await runCommand("nsenter", [...this.#enter, "umount", "--lazy", join(this.#directory, "graph", "overlay")]);
    await this.#resources.disposeAsync();
  }
}

/** podman gives a runtime no options of its own: a script does. */
function writeSavableRuntime(directory: string): void {
  const [program, config] = [join(directory, "kata-savable"), join(directory, "savable.toml")];
  writeFileSync(config, savableConfiguration());
  writeFileSync(program, `#!/bin/sh\nexec ${RUNTIME} --config ${config} "$@"\n`, { mode: 0o755 });
}

/** @param runtimes the section that tells of our runtime */
function writeConfiguration(directory: string, runtimes: string): void {
  const containers = `[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "${directory}/tmp"
infra_image = "localhost/pause:latest"
${runtimes}
kata-savable = ["${directory}/kata-savable"]
runc = ["/usr/sbin/runc"]
[network]
network_backend = "netavark"
network_config_dir = "${directory}/networks"
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
`;
  const storage = `[storage]
driver = "overlay"
runroot = "${directory}/run"
graphroot = "${directory}/graph"
`;
  writeFileSync(join(directory, "containers.conf"), containers);
  writeFileSync(join(directory, "storage.conf"), storage);
}
