import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setImmediate } from "node:timers/promises";
import { readProcessStat } from "@kata-ts/linux";
import { type CommandOptions, type CommandResult, runCommand } from "../command.ts";
import { busyboxRootfs, pythonRootfs } from "../images.ts";
import { TestNetwork } from "../network.ts";
import { CONTAINERD_SHIM, RUNTIME } from "../paths.ts";
import { blockStoreSettings, startBlockStore } from "./block-store.ts";
import { Daemon } from "./daemon.ts";
import { EngineCgroups } from "./engine-cgroups.ts";
import { engineSuite } from "./root/base-root.ts";
import { EngineRoot } from "./root/engine-root.ts";

interface DockerPlace {
  readonly directory: string;
  /** Its network. */
  readonly namespace: string;
  readonly root: EngineRoot;
  readonly onBlockDevices: boolean;
}

export interface DockerOptions {
  /** Its containers have root file systems on block devices, by a containerd of its own. */
  readonly onBlockDevices?: boolean;
}

/** Docker Engine from a distribution, with our runtime registered in its daemon.json, and two images. */
export class Docker implements AsyncDisposable {
  readonly #directory: string;
  readonly #place: DockerPlace;
  #daemon: Daemon;
  #resources: AsyncDisposable | undefined;

  private constructor(place: DockerPlace, daemon: Daemon) {
    this.#directory = place.directory;
    this.#place = place;
    this.#daemon = daemon;
  }

  static async start({ onBlockDevices = false }: DockerOptions = {}): Promise<Docker> {
    await using resources = new AsyncDisposableStack();
    // Paths of unix sockets are short, and the daemon makes long ones.
    const directory = resources.adopt(mkdtempSync("/tmp/e2e-docker-"), async (path) => {
      // A daemon that may be followed by another one leaves its mounts to it.
      for (const mount of mountsBelow(path)) await runCommand("umount", [mount]);
      rmSync(path, { recursive: true, force: true });
    });
    resources.use(new EngineCgroups("docker"));
    const root = resources.use(await EngineRoot.open());
    const namespace = await resources.use(new TestNetwork()).namespace();
    const place = { directory, namespace, root, onBlockDevices };
    if (onBlockDevices) resources.use(await startBlockStore(place));
    const docker = new Docker(place, await startDaemon(place));
    resources.defer(() => docker.#daemon[Symbol.asyncDispose]());
    await docker.#import("busybox", await busyboxRootfs());
    // Where each container has a disk of its own, they are small.
    if (!onBlockDevices) await docker.#import("python", await pythonRootfs());
    docker.#resources = resources.move();
    return docker;
  }

  /** Ends the daemon as a crash would: its containerd dies with it, its containers do not. */
  async crash(): Promise<void> {
    const pidFile = join(this.#directory, "exec", "containerd", "containerd.pid");
    const pid = Number(readFileSync(pidFile, "utf8"));
    await this.#daemon.kill();
    while (!["Z", undefined].includes(readProcessStat(pid)?.state)) await setImmediate();
    // Where the host's first process reaps no orphans, as in many containers, a dead containerd counts as alive for dockerd.
    rmSync(pidFile, { force: true });
  }

  async startAgain(): Promise<void> {
    this.#daemon = await startDaemon(this.#place);
  }

  /** Never rejects for a failing command. */
  run(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand("nsenter", [...this.#command, ...args], options);
  }

  /** As run, for a command that has to succeed. @returns what it printed */
  async ok(...args: readonly string[]): Promise<string> {
    const result = await this.run(args);
    if (result.exitCode !== 0) throw new Error(`docker ${args.join(" ")}: ${result.stderr}`);
    return result.stdout;
  }

  /** The lines that a docker command prints, for as long as they are read. */
  async *follow(...args: readonly string[]): AsyncGenerator<string> {
    const child = spawn("nsenter", [...this.#command, ...args], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      yield* createInterface(child.stdout);
    } finally {
      child.kill("SIGKILL");
    }
  }

  /** Starts a container in the background. */
  async start(args: readonly string[]): Promise<DockerContainer> {
    return new DockerContainer(this, await this.ok("run", "--detach", ...args));
  }

  /** A user-defined network, until the end of the test. */
  async network(name: string): Promise<AsyncDisposable & { readonly name: string }> {
    await this.ok("network", "create", name);
    return {
      name,
      [Symbol.asyncDispose]: async () => {
        await this.ok("network", "rm", name);
      },
    };
  }

  /** Runs docker with a controlling terminal of 33 lines and 44 columns, and answers "yes". @returns what the terminal showed */
  async inTerminal(...args: readonly string[]): Promise<string> {
    const command = ["nsenter", ...this.#command, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
    const result = await runCommand("script", ["-qec", `stty rows 33 cols 44; ${command.join(" ")}`, "/dev/null"], {
      input: "yes\n",
    });
    if (result.exitCode !== 0) throw new Error(`docker ${args.join(" ")}: ${result.stdout}`);
    return result.stdout;
  }

  /** Runs a program of the host in the daemon's network. @returns what it printed */
  async inNamespace(...command: readonly string[]): Promise<string> {
    const result = await runCommand("nsenter", [`--net=/proc/${String(this.#daemon.pid)}/ns/net`, ...command]);
    if (result.exitCode !== 0) throw new Error(`${command.join(" ")}: ${result.stderr}`);
    return result.stdout;
  }

  /** A directory of the tests' own. @returns its path */
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

  /** After `nsenter`. */
  get #command(): readonly string[] {
    return [this.#place.root.mount, "docker", "--host", `unix://${this.#directory}/d.sock`];
  }

  async #import(name: string, rootfs: string): Promise<void> {
    const archive = join(this.#directory, "image.tar");
    await runCommand("tar", ["-C", rootfs, "-cf", archive, "."]);
    await this.ok("import", "-c", "ENV PATH=/usr/bin:/bin", "-c", 'CMD ["sh"]', archive, `${name}:latest`);
    rmSync(archive);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources?.[Symbol.asyncDispose]();
  }
}

/** A container that runs in the background, removed at its end. */
export class DockerContainer implements AsyncDisposable {
  readonly id: string;
  readonly #docker: Docker;

  constructor(docker: Docker, id: string) {
    this.#docker = docker;
    this.id = id;
  }

  /** @param options before the container. @returns what the command printed */
  exec(options: readonly string[], ...command: readonly string[]): Promise<string> {
    return this.#docker.ok("exec", ...options, this.id, ...command);
  }

  inspect(format: string): Promise<string> {
    return this.#docker.ok("inspect", "--format", format, this.id);
  }

  /** Waits until a line of the container's log is this one. */
  async logged(wanted: string): Promise<void> {
    const lines = this.#docker.follow("logs", "--follow", this.id);
    for await (const line of lines) if (line === wanted) return;
    throw new Error(`${this.id} ended without saying "${wanted}"`);
  }

  async healthy(): Promise<void> {
    const query = ["--since", "0", "--filter", `container=${this.id}`, "--filter", "event=health_status"];
    const lines = this.#docker.follow("events", ...query, "--format", "{{.Status}}");
    for await (const line of lines) if (line === "health_status: healthy") return;
    throw new Error(`${this.id} did not become healthy`);
  }

  /** What has happened to it so far, in order. */
  async events(): Promise<string[]> {
    const now = String(Date.now() / 1000);
    const query = ["--since", "0", "--until", now, "--filter", `container=${this.id}`, "--format", "{{.Status}}"];
    const lines = (await this.#docker.ok("events", ...query)).split("\n");
    return lines.map((line) => line.split(":")[0] ?? "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#docker.ok("rm", "--force", "--volumes", this.id);
  }
}

/** The last one first. */
function mountsBelow(directory: string): string[] {
  const targets = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  return targets.filter((target) => target.startsWith(`${directory}/`)).reverse();
}

async function startDaemon({ directory, namespace, root, onBlockDevices }: DockerPlace): Promise<Daemon> {
  const config = join(directory, "daemon.json");
  const settings = {
    "data-root": join(directory, "data"),
    "exec-root": join(directory, "exec"),
    pidfile: join(directory, "docker.pid"),
    hosts: [`unix://${directory}/d.sock`],
    "storage-driver": "overlay2",
    "default-runtime": "kata",
    // For checkpoints.
    experimental: true,
    // Docker knows shims of others from 23 on.
    ...(engineSuite() === undefined ? {} : { runtimes: { "kata-v2": { runtimeType: CONTAINERD_SHIM } } }),
    // Containers outlive their daemon.
    "live-restore": true,
    ...(onBlockDevices ? blockStoreSettings(directory) : {}),
  };
  writeFileSync(config, JSON.stringify(settings));
  const tell = ["kata-engine", "docker", "--write", "--file", config];
  const told = await runCommand("nsenter", [root.mount, RUNTIME, ...tell]);
  if (told.exitCode !== 0) throw new Error(told.stderr);
  return Daemon.start({
    namespace,
    root,
    command: ["dockerd", "--config-file", config],
    // BuildKit has its steps run by this, whatever the default runtime is.
    env: { DOCKER_BUILDKIT_RUNC_COMMAND: RUNTIME },
    ready: /API listen on/,
  });
}
