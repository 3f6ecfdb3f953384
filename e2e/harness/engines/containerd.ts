import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandOptions, type CommandResult, runCommand } from "../command.ts";
import { busyboxRootfs, pythonRootfs } from "../images.ts";
import { TestNetwork } from "../network.ts";
import { CONTAINERD_SHIM, PROGRAMS, RUNTIME } from "../paths.ts";
import { CriClient } from "./cri.ts";
import { Daemon } from "./daemon.ts";
import { EngineCgroups } from "./engine-cgroups.ts";
import { EventLog } from "./event-log.ts";
import { ociArchive } from "./oci-images.ts";
import { engineSuite } from "./root/base-root.ts";
import { EngineRoot } from "./root/engine-root.ts";

const PAUSE = "registry.k8s.io/pause";

interface Place {
  readonly directory: string;
  /** Its network. */
  readonly namespace: string;
  readonly root: EngineRoot;
}

/** containerd from a distribution with its CRI plugin, our runtime as its handler `kata`, and a bridge by CNI. */
export class Containerd implements AsyncDisposable {
  readonly directory: string;
  readonly #place: Place;
  readonly #resources: AsyncDisposableStack;
  #daemon: Daemon;

  private constructor(place: Place, daemon: Daemon, resources: AsyncDisposableStack) {
    this.directory = place.directory;
    this.#place = place;
    this.#daemon = daemon;
    this.#resources = resources;
  }

  static async start(): Promise<Containerd> {
    await using resources = new AsyncDisposableStack();
    const directory = resources.adopt(mkdtempSync("/tmp/e2e-ctd-"), (path) => {
      rmSync(path, { recursive: true, force: true });
    });
    for (const parent of ["default", "k8s.io", "kubepods"]) resources.use(new EngineCgroups(parent));
    const root = resources.use(await EngineRoot.open());
    const namespace = await resources.use(new TestNetwork()).namespace();
    const place = { directory, namespace, root };
    await writeConfiguration(place);
    const daemon = await startDaemon(place);
    const containerd = new Containerd(place, daemon, resources.move());
    await containerd.#import(PAUSE, "3.6", await busyboxRootfs(), ["sleep", "1000000"]);
    await containerd.#import("e2e.test/busybox", "latest", await busyboxRootfs(), ["sh"]);
    await containerd.#import("e2e.test/python", "latest", await pythonRootfs(), ["python3"]);
    return containerd;
  }

  /** `ctr` with the images of Kubernetes; never rejects for a failing command. */
  ctr(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand(
      "nsenter",
      [this.#place.root.mount, "ctr", "--address", this.#socket, "--namespace", "k8s.io", ...args],
      options,
    );
  }

  /** Runs ctr with a controlling terminal of 33 lines and 44 columns, and answers "yes". @returns what the terminal showed */
  async inTerminal(...args: readonly string[]): Promise<string> {
    const words = [
      "nsenter",
      this.#place.root.mount,
      "ctr",
      "--address",
      this.#socket,
      "--namespace",
      "k8s.io",
      ...args,
    ];
    const command = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const shown = await runCommand("script", ["-qec", `stty rows 33 cols 44; ${command}`, "/dev/null"], {
      input: "yes\n",
    });
    if (shown.exitCode !== 0) throw new Error(`ctr ${args.join(" ")}: ${shown.stdout}`);
    return shown.stdout;
  }

  async ok(...args: readonly string[]): Promise<string> {
    const result = await this.ctr(args);
    if (result.exitCode !== 0) throw new Error(`ctr ${args.join(" ")}: ${result.stderr}`);
    return result.stdout;
  }

  /** What it publishes from now on: it is asked for an event until one is seen. */
  async events(): Promise<EventLog> {
    const log = new EventLog([
      this.#place.root.mount,
      "ctr",
      "--address",
      this.#socket,
      "--namespace",
      "k8s.io",
      "events",
    ]);
    for (let serial = 0; log.lines.length === 0; serial += 1) {
      await this.ok("namespaces", "label", "k8s.io", `e2e=${String(serial)}`);
    }
    return log;
  }

  /** What it and its shims have logged since its start. */
  get log(): readonly string[] {
    return this.#daemon.log;
  }

  /** Resolves when there is another line in its log. @throws Error when none comes for as long as the signal allows */
  logGrows(signal: AbortSignal): Promise<void> {
    return this.#daemon.nextLine(signal);
  }

  /** A client of its CRI socket. */
  cri(): CriClient {
    return new CriClient(this.#socket);
  }

  /** Ends the daemon, as an upgrade of it does: containers and their shims go on. */
  async stop(): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]();
  }

  /** Ends the daemon as a crash would. */
  async crash(): Promise<void> {
    await this.#daemon.kill();
  }

  /** Resolves when it serves the CRI again, having found what runs. */
  async startAgain(): Promise<void> {
    this.#daemon = await startDaemon(this.#place);
    using cri = this.cri();
    const initialised = (): Promise<boolean> => cri.call("ListContainers", {}).then(() => true, isOtherError);
    while (!(await initialised()));
  }

  /** Runs a program in the daemon's network. */
  async inNamespace(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand("nsenter", [`--net=${this.#place.namespace}`, ...command], options);
  }

  /** Runs a program of the host's that mounts what the daemon and its shims are to see. */
  async inMounts(...command: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await runCommand("nsenter", [this.#place.root.mount, ...command]);
    if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  }

  /** A directory of the tests' own. @returns its path */
  files(name: string): string {
    const path = join(this.directory, "files", name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** A file of the tests' own. @returns its path */
  file(name: string, content: string): string {
    const path = join(this.files("."), name);
    writeFileSync(path, content);
    return path;
  }

  read(path: string): string {
    return readFileSync(join(this.directory, path), "utf8");
  }

  async #import(name: string, tag: string, rootfs: string, command: readonly string[]): Promise<void> {
    const archive = await ociArchive(this.directory, { name, tag, rootfs, command });
    await this.ok("images", "import", "--base-name", name, archive);
    rmSync(archive);
  }

  get #socket(): string {
    return join(this.directory, "c.sock");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#resources.disposeAsync();
  }
}

function isOtherError(error: unknown): boolean {
  if (String(error).includes("not initialized yet")) return false;
  throw error;
}

function startDaemon({ directory, namespace, root }: Place): Promise<Daemon> {
  const command = ["containerd", "--config", join(directory, "config.toml")] as const;
  // It finds the shim of a runtime type among the programs that it would find itself, and leaves the files of what it has restored.
  const env = { PATH: `${process.env.PATH ?? ""}:${PROGRAMS}`, TMPDIR: directory, XDG_RUNTIME_DIR: directory };
  return Daemon.start({ namespace, root, command, env, ready: /containerd successfully booted/ });
}

async function writeConfiguration({ directory, root }: Place): Promise<void> {
  const cni = join(directory, "cni");
  mkdirSync(cni);
  const range = [[{ subnet: "10.99.0.0/16" }]];
  const ipam = { type: "host-local", dataDir: join(cni, "data"), ranges: range, routes: [{ dst: "0.0.0.0/0" }] };
  const bridge = { type: "bridge", bridge: "cni0", isGateway: true, ipMasq: true, hairpinMode: true, ipam };
  const plugins = [bridge, { type: "portmap", capabilities: { portMappings: true } }];
  const network = { cniVersion: "0.4.0", name: "e2e", plugins };
  writeFileSync(join(cni, "10-e2e.conflist"), JSON.stringify(network));
  writeFileSync(limitedBy(directory), '[hypervisor.qemu]\nenable_annotations = ["^egress$"]\n');
  writeFileSync(join(directory, "config.toml"), configuration(directory, cni));
  const tell = ["kata-engine", "containerd", "--write", "--file", join(directory, "config.toml")];
  const told = await runCommand("nsenter", [root.mount, RUNTIME, ...tell]);
  if (told.exitCode !== 0) throw new Error(told.stderr);
}

/** Our configuration of the handler whose pods may say what they call. */
function limitedBy(directory: string): string {
  return join(directory, "limited.toml");
}

function configuration(directory: string, cni: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = [
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper",
]
[grpc]
  address = "${directory}/c.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "${directory}/opt"
[${cri}]
  sandbox_image = "${PAUSE}:3.6"
  disable_apparmor = true
  restrict_oom_score_adj = true
[${cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${cni}"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.kata-v2]
  runtime_type = "io.containerd.kata.v2"
  runtime_path = "${CONTAINERD_SHIM}"
  privileged_without_host_devices = true
  pod_annotations = ["io.katacontainers.*"]
[${cri}.containerd.runtimes.kata-limited]
  runtime_type = "io.containerd.kata.v2"
  runtime_path = "${CONTAINERD_SHIM}"
  pod_annotations = ["io.katacontainers.*"]
[${cri}.containerd.runtimes.kata-limited.options]
  ConfigPath = "${limitedBy(directory)}"
${engineSuite() === "forky" ? sandboxer(cri) : ""}`;
}

/** A handler whose pods have no pause container, from containerd 2 on. */
function sandboxer(cri: string): string {
  return `[${cri}.containerd.runtimes.kata-sandbox]
  runtime_type = "io.containerd.kata.v2"
  runtime_path = "${CONTAINERD_SHIM}"
  sandboxer = "shim"
`;
}
