import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive, type ProcessIdentity } from "@kata-ts/linux";
import type { ProcessResult } from "@kata-ts/virtcontainers";
import { NODE_BINARY } from "../../scripts/lib/paths.ts";
import { type Internet, SERVER } from "./internet.ts";
import { SHARE, VM_ROOT } from "./paths.ts";

/** The names of all VMs' directories. */
function machines(): string[] {
  return existsSync(VM_ROOT) ? readdirSync(VM_ROOT) : [];
}

/** Whether a process of the VM is left, by the note that its owner has made. */
function isInUse(path: string): boolean {
  const note = join(path, "processes.json");
  if (!existsSync(note)) return false;
  const { processes } = JSON.parse(readFileSync(note, "utf8")) as { readonly processes: readonly ProcessIdentity[] };
  return processes.some((each) => isAlive(each));
}

type Answer = { readonly value: unknown } | { readonly error: string };

const VM = { kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4") };

/** A program of its own that owns a sandbox, on a host of its own with an Internet: nat-program.ts. It is killed at the end. */
export class SandboxOwner implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #directory: string;
  /** The VM's directory. */
  #machine: string | undefined;

  private constructor(child: ChildProcess, lines: Interface, directory: string) {
    this.#child = child;
    this.#lines = lines[Symbol.asyncIterator]();
    this.#directory = directory;
  }

  static async start(internet: Internet, options: object): Promise<SandboxOwner> {
    const before = machines();
    const directory = mkdtempSync(join(tmpdir(), "sandbox-owner-"));
    const resolvConf = join(directory, "resolv.conf");
    writeFileSync(resolvConf, `nameserver ${SERVER}\n`);
    const program = join(import.meta.dirname, "nat-program.ts");
    const script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
    const child = spawn(
      "nsenter",
      [
        ...[`--net=${internet.host}`, "unshare", "--mount", "sh", "-c", script, resolvConf],
        ...[NODE_BINARY, program, JSON.stringify({ vm: VM, network: "nat", ...options })],
      ],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    child.stdin.on("error", () => undefined);
    const owner = new SandboxOwner(child, createInterface({ input: child.stdout }), directory);
    const first = await owner.#read();
    owner.#machine = machines().find((name) => !before.includes(name));
    if (first !== "created") throw new Error(`the sandbox was not made: ${JSON.stringify(first)}`);
    return owner;
  }

  /** @throws Error with the program's own words */
  async do(what: string, details: object = {}): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify({ do: what, ...details })}\n`);
    const answer = (await this.#read()) as Answer;
    if ("error" in answer) throw new Error(answer.error);
    return answer.value;
  }

  /** Runs a command in a container of a root file system, to its end. @returns what it wrote; @throws where it fails */
  async run(rootfs: string, ...args: readonly string[]): Promise<string> {
    const result = (await this.do("run", { container: { rootfs, args } })) as ProcessResult;
    if (result.exitCode !== 0) throw new Error(`${args.join(" ")}: ${JSON.stringify(result)}`);
    return result.stdout;
  }

  /** Its VM ends with it. The VM's directory is for the next garbage collection: here it is removed at once. */
  async kill(): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
    if (this.#machine === undefined) return;
    const path = join(VM_ROOT, this.#machine);
    while (isInUse(path)) await delay(20);
    rmSync(path, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #read(): Promise<unknown> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error("the program that owns the sandbox has ended");
    return JSON.parse(line.value) as unknown;
  }
}
