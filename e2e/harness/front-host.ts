import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CommandResult, runCommand } from "./command.ts";
import { busyboxRootfs } from "./images.ts";
import { Internet, SERVER } from "./internet.ts";
import { Kata } from "./kata.ts";
import { TestNetwork } from "./network.ts";
import { RUNTIME } from "./paths.ts";

const KATA = join(dirname(RUNTIME), "kata");

/** The leases of all networks nat, and what is noted of the hosts that they are on. */
export function leases(): string[] {
  return existsSync("/run/kata-ts/nat") ? readdirSync("/run/kata-ts/nat") : [];
}

/**
 * A host with an Internet, whose name server its resolv.conf names, and a `kata` of its own on it: all its programs are in one network
 * namespace, and see one file system.
 */
export class FrontHost implements AsyncDisposable {
  readonly network: TestNetwork;
  readonly internet: Internet;
  readonly kata: Kata;
  readonly #mounts: ChildProcess;
  readonly #programs: ChildProcess[] = [];
  readonly #env: Readonly<Record<string, string>>;
  /** Of hosts that are gone some are left, as their namespaces are gone with them. */
  readonly #leasesBefore: readonly string[] = ["lock", ...leases()];

  private constructor(network: TestNetwork, internet: Internet, kata: Kata, mounts: ChildProcess) {
    this.network = network;
    this.internet = internet;
    this.kata = kata;
    this.#mounts = mounts;
    this.#env = { ...(process.env as Record<string, string>), KATA_TS_DATA: join(kata.directory, "data") };
  }

  static async create(): Promise<FrontHost> {
    const [network, kata] = [new TestNetwork(), new Kata()];
    const internet = await Internet.create(network);
    const resolvConf = kata.file("resolv.conf", `nameserver ${SERVER}\nsearch example.org\n`);
    const script = 'mount --bind "$0" /etc/resolv.conf && echo mounted && exec cat';
    const args = [`--net=${internet.host}`, "unshare", "--mount", "sh", "-c", script, resolvConf];
    const mounts = spawn("nsenter", args, { stdio: ["pipe", "pipe", "inherit"] });
    await once(mounts.stdout, "data");
    return new FrontHost(network, internet, kata, mounts);
  }

  /** Runs a program on the host. */
  do(...command: readonly string[]): Promise<CommandResult> {
    return runCommand("nsenter", [...this.#place, ...command], { env: this.#env });
  }

  /** Runs `kata` on the host. */
  run(...args: readonly string[]): Promise<CommandResult> {
    return this.do(KATA, "--root", this.kata.root, ...args);
  }

  /** Starts `kata` on the host. */
  start(...args: readonly string[]): ChildProcess {
    const command = [...this.#place, KATA, "--root", this.kata.root, ...args];
    return spawn("nsenter", command, { env: this.#env, stdio: "ignore" });
  }

  /** Serves a directory by HTTP at a port of the Internet's address. */
  async serve(directory: string, port: number): Promise<void> {
    const args = [
      `--net=${this.internet.beyond}`,
      "busybox",
      "httpd",
      "-f",
      "-h",
      directory,
      "-p",
      `${SERVER}:${String(port)}`,
    ];
    this.#programs.push(spawn("nsenter", args, { stdio: "inherit" }));
    const fetch = (): Promise<CommandResult> =>
      this.network.run(
        this.internet.beyond,
        "busybox",
        "wget",
        "-qO",
        "/dev/null",
        `http://${SERVER}:${String(port)}/`,
      );
    while ((await fetch()).stderr.includes("refused"));
  }

  /** The processes that keep a container's network. */
  keepers(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && commandOf(name).endsWith(" hold-network"))
      .map(Number);
  }

  /** All that a network nat makes on the host: links, tables, leases, namespaces, processes. */
  async networks(): Promise<readonly string[]> {
    const links = (await this.do("ip", "-o", "link")).stdout.match(/kts-[^@:]*/g) ?? [];
    const tables = (await this.do("nft", "list", "tables")).stdout
      .split("\n")
      .filter((line) => line.includes("kata-ts"));
    const ownLeases = leases().filter((name) => !this.#leasesBefore.includes(name));
    const namespaces = readdirSync("/run/kata-ts/netns");
    return [...links, ...tables, ...ownLeases, ...namespaces, ...this.keepers().map((pid) => `process ${String(pid)}`)];
  }

  /** A root file system of busybox, with the files by which a container knows itself. */
  async rootfs(): Promise<string> {
    const rootfs = join(this.kata.directory, "rootfs");
    cpSync(await busyboxRootfs(), rootfs, { recursive: true, verbatimSymlinks: true });
    for (const file of ["hosts", "hostname", "resolv.conf"]) writeFileSync(join(rootfs, "etc", file), "");
    return rootfs;
  }

  get #place(): string[] {
    return [`--net=${this.internet.host}`, `--mount=/proc/${String(this.#mounts.pid)}/ns/mnt`, "--wdns=/"];
  }

  /** With the containers of a test that failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const left = (await this.run("ps", "-aq")).stdout.split("\n").filter(Boolean);
    if (left.length > 0) await this.run("rm", "-f", ...left);
    for (const child of [...this.#programs, this.#mounts]) {
      const ended = once(child, "close");
      child.kill("SIGKILL");
      await ended;
    }
    await this.kata[Symbol.asyncDispose]();
    this.internet[Symbol.dispose]();
    await this.network[Symbol.asyncDispose]();
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
