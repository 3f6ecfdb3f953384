import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandOptions, type CommandResult, runCommand } from "../command.ts";
import { busyboxRootfs, pythonRootfs } from "../images.ts";
import { TestNetwork } from "../network.ts";
import { RUNTIME } from "../paths.ts";
import { Daemon } from "./daemon.ts";
import { EngineCgroups } from "./engine-cgroups.ts";

/** Docker Engine from the distribution, with our runtime registered in its daemon.json, and two images. */
export class Docker implements AsyncDisposable {
  readonly #directory: string;
  readonly #daemon: Daemon;
  readonly #resources: AsyncDisposableStack;

  private constructor(directory: string, daemon: Daemon, resources: AsyncDisposableStack) {
    this.#directory = directory;
    this.#daemon = daemon;
    this.#resources = resources;
  }

  static async start(): Promise<Docker> {
    await using resources = new AsyncDisposableStack();
    // Paths of unix sockets are short, and the daemon makes long ones.
    const directory = resources.adopt(mkdtempSync("/tmp/kata-e2e-"), (path) => {
      rmSync(path, { recursive: true, force: true });
    });
    resources.use(new EngineCgroups("docker"));
    const namespace = await resources.use(new TestNetwork()).namespace();
    const daemon = resources.use(await startDaemon(directory, namespace));
    const docker = new Docker(directory, daemon, resources.move());
    await docker.#import("busybox", await busyboxRootfs());
    await docker.#import("python", await pythonRootfs());
    return docker;
  }

  /** Never rejects for a failing command. */
  run(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand("docker", ["--host", `unix://${this.#directory}/d.sock`, ...args], options);
  }

  /** As run, for a command that has to succeed. @returns what it printed */
  async ok(...args: readonly string[]): Promise<string> {
    const result = await this.run(args);
    if (result.exitCode !== 0) throw new Error(`docker ${args.join(" ")}: ${result.stderr}`);
    return result.stdout;
  }

  get daemonLog(): readonly string[] {
    return this.#daemon.log;
  }

  async #import(name: string, rootfs: string): Promise<void> {
    const archive = join(this.#directory, "image.tar");
    await runCommand("tar", ["-C", rootfs, "-cf", archive, "."]);
    await this.ok("import", "-c", "ENV PATH=/usr/bin:/bin", "-c", 'CMD ["sh"]', archive, `${name}:latest`);
    rmSync(archive);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

async function startDaemon(directory: string, namespace: string): Promise<Daemon> {
  const config = join(directory, "daemon.json");
  const settings = {
    "data-root": join(directory, "data"),
    "exec-root": join(directory, "exec"),
    pidfile: join(directory, "docker.pid"),
    hosts: [`unix://${directory}/d.sock`],
    "storage-driver": "overlay2",
    runtimes: { kata: { path: RUNTIME } },
    "default-runtime": "kata",
  };
  writeFileSync(config, JSON.stringify(settings));
  return Daemon.start({ namespace, command: ["dockerd", "--config-file", config], ready: /API listen on/ });
}
