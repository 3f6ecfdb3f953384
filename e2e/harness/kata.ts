import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Bundle, type BundleOptions, makeBundle } from "./bundle.ts";
import { type CommandOptions, type CommandResult, runCommand } from "./command.ts";
import { RUNTIME } from "./paths.ts";

export interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: string;
  readonly bundle: string;
  readonly rootfs: string;
}

let serial = 0;

/** The built runtime with a root of its own. What a test leaves behind is deleted at its end, and reported before. */
export class Kata implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), "kata-e2e-"));
  readonly root: string = join(this.directory, "root");
  /** The program's path. */
  readonly program: string;
  /** Options before the verb. */
  globals: readonly string[];

  /** @param globals options before the verb; @param runtime another OCI runtime with the same command line */
  constructor(globals: readonly string[] = [], runtime: string = RUNTIME) {
    this.globals = globals;
    this.program = runtime;
  }

  /** One with a configuration.toml of its own. */
  static configured(toml: string): Kata {
    const kata = new Kata();
    kata.globals = ["--config", kata.file("configuration.toml", toml)];
    return kata;
  }

  /** Never rejects for a failing command. Standard input is empty unless given. */
  run(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand(this.program, ["--root", this.root, ...this.globals, ...args], options);
  }

  /** As run, for a command that has to succeed. */
  async ok(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const result = await this.run(args, options);
    if (result.exitCode !== 0) throw new Error(`kata-runtime ${args.join(" ")}: ${result.stderr}`);
    return result.stdout;
  }

  id(): string {
    serial += 1;
    return `e2e-${String(process.pid)}-${String(serial)}`;
  }

  bundle(options: BundleOptions): Promise<Bundle> {
    serial += 1;
    return makeBundle(join(this.directory, `bundle-${String(serial)}`), options);
  }

  /** Creates and starts a container that stays, with streams that are not read. */
  async start(options: BundleOptions): Promise<string> {
    const id = this.id();
    const { path } = await this.bundle(options);
    await this.create(id, path);
    await this.ok(["start", id]);
    return id;
  }

  /** A create whose streams do not keep this process waiting. */
  async create(id: string, bundle: string, options: readonly string[] = []): Promise<void> {
    const log = join(this.directory, `${id}.log`);
    const args = ["--root", this.root, ...this.globals, "--log", log, "create", "--bundle", bundle, ...options, id];
    const result = await runCommand(this.program, args, { detachedStreams: true });
    if (result.exitCode !== 0) throw new Error(`create ${id}: ${readFileSync(log, "utf8")}`);
  }

  async state(id: string): Promise<State> {
    return JSON.parse(await this.ok(["state", id])) as State;
  }

  /** Waits until the container's state is as wanted: it changes when its shim has delivered everything. */
  async until(id: string, status: string): Promise<State> {
    for (;;) {
      const state = await this.state(id);
      if (state.status === status) return state;
    }
  }

  /**
   * Runs a container, and waits for its first words. What a signal does to it can be tested from then on: one that comes before the first
   * process of a namespace has set its trap is lost.
   *
   * @returns the end of the run
   */
  async runUntilReady(id: string, bundle: string): Promise<{ readonly ended: Promise<CommandResult> }> {
    const ready = Promise.withResolvers<void>();
    const ended = this.run(["run", "--bundle", bundle, id], {
      onStart: ({ stdout }) => {
        stdout?.once("data", ready.resolve);
      },
    });
    await Promise.race([ready.promise, ended]);
    return { ended };
  }

  /** Waits until a container that is being run exists and runs. */
  async whenRunning(id: string): Promise<State> {
    for (;;) {
      const result = await this.run(["state", id]);
      if (result.exitCode !== 0) continue;
      const state = JSON.parse(result.stdout) as State;
      if (state.status === "running") return state;
    }
  }

  /** A file below this test's directory; returns its path. */
  file(name: string, content: string): string {
    const path = join(this.directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  read(name: string): string {
    return readFileSync(join(this.directory, name), "utf8");
  }

  /** The directory of a container's VM. */
  vmDirectory(id: string): string {
    const record = JSON.parse(readFileSync(join(this.root, id, "kata.json"), "utf8")) as { vm: { dir: string } };
    return record.vm.dir;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = (await this.run(["list", "-q"])).stdout;
    for (const id of left.split("\n").filter(Boolean)) await this.run(["delete", "--force", id]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
