import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { baseRoot, HOSTS_CACHE } from "./base-root.ts";
import { HostCgroups } from "./host-cgroups.ts";
import { copyMachineSettings } from "./machine-settings.ts";
import { installedSources, type Suite } from "./mirrors.ts";

export interface HostCommandResult {
  readonly exitCode: number | undefined;
  /** Both streams, in the order in which they were written. */
  readonly output: string;
}

export interface HostCommandOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Milliseconds; fifteen minutes by default. */
  readonly deadline?: number;
  /** Directories of this machine that the command sees, writable, each at its own path. */
  readonly mounts?: readonly string[];
}

const DEADLINE_MS = 15 * 60_000;
/** As an ordinary shell has it, apart from what the test adds. */
const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LANG: "C.UTF-8",
};
/** Downloads are kept from one run to the next; what is made of them is not. */
const SHARED = ["/var/cache/apt/archives", "/root/.npm", "/root/.local/share/pnpm/store"];

let count = 0;

/**
 * A host of its own kind: a copy of a suite's root file system in which commands run with mount, pid and cgroup
 * namespaces of their own. It shares this machine's kernel and network. Each call of `run` ends with all the processes
 * and mounts that it has made.
 */
export class HostRoot implements AsyncDisposable {
  readonly directory: string;
  readonly #suite: Suite;
  #environment: Readonly<Record<string, string>> = {};

  private constructor(suite: Suite) {
    this.#suite = suite;
    this.directory = mkdtempSync(join(tmpdir(), `kata-host-${suite}-`));
  }

  static async create(suite: Suite, packages: readonly string[]): Promise<HostRoot> {
    const base = await baseRoot(suite, packages);
    const root = new HostRoot(suite);
    try {
      await execa("cp", ["-a", "--reflink=auto", `${base}/.`, root.directory]);
      writeFileSync(join(root.directory, "etc/apt/sources.list"), installedSources(suite));
      root.#environment = await copyMachineSettings(root.directory);
      if (packages.includes("ca-certificates")) await root.expectOk(["update-ca-certificates"]);
      return root;
    } catch (error) {
      await root[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a command in the host. Never rejects for a failing one. */
  async run(command: readonly string[], options: HostCommandOptions = {}): Promise<HostCommandResult> {
    const { cwd = "/root", environment = {}, deadline = DEADLINE_MS, mounts = [] } = options;
    count += 1;
    await using cgroups = new HostCgroups(`kata-host-${String(process.pid)}-${String(count)}`);
    const enter = `for cgroup in ${cgroups.directories.join(" ")}; do echo $$ >"$cgroup/cgroup.procs"; done; exec "$@"`;
    const namespaces = ["unshare", "--mount", "--pid", "--fork", "--cgroup", "--kill-child"];
    const inside = ["env", "-i", ...assignments({ ...ENVIRONMENT, ...this.#environment, ...environment })];
    const moved = [...inside, "sh", "-c", 'cd "$0" && exec "$@"', cwd, ...command];
    const script = join(import.meta.dirname, "enter.sh");
    const { exitCode, all } = await execa(
      "sh",
      ["-c", enter, "sh", ...namespaces, "sh", script, this.directory, ...moved],
      {
        ...{ all: true, reject: false, stdin: "ignore", timeout: deadline, forceKillAfterDelay: 10_000 },
        env: {
          HOST_SHARED: SHARED.join(" "),
          HOST_SHARED_FROM: this.#shared(),
          HOST_MOUNTS: mounts.map((path) => `${path}:${path}`).join(" "),
        },
      },
    );
    return { exitCode, output: all };
  }

  /** Runs a command and returns what it wrote. @throws Error with the end of its output when it fails */
  async expectOk(command: readonly string[], options: HostCommandOptions = {}): Promise<string> {
    const { exitCode, output } = await this.run(command, options);
    if (exitCode === 0) return output;
    const end = output.split("\n").slice(-60).join("\n");
    throw new Error(`${command.join(" ")} on ${this.#suite}: status ${String(exitCode)}\n${end}`);
  }

  #shared(): string {
    const from = join(HOSTS_CACHE, `downloads-${this.#suite}`);
    for (const directory of SHARED) mkdirSync(join(from, directory), { recursive: true });
    return from;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function assignments(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment).map(([name, value]) => `${name}=${value}`);
}
