import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type CommandResult, runCommand } from "./command.ts";
import { ROOT } from "./paths.ts";

/** Both ends of test traffic; what it can do stands at its head. */
export const PEER = join(ROOT, "e2e/harness/peer.py");

let serial = 0;

/** Network namespaces of one test's own, the links between them, and programs inside. All of it goes at the end. */
export class TestNetwork implements AsyncDisposable {
  readonly #names: string[] = [];
  readonly #programs: ChildProcess[] = [];

  /** Makes a namespace, its loopback up. @returns its path */
  async namespace(): Promise<string> {
    serial += 1;
    const name = `kata-e2e-${String(process.pid)}-${String(serial)}`;
    await succeed("ip", ["netns", "add", name]);
    this.#names.push(name);
    const path = `/run/netns/${name}`;
    // Nobody else is there to have the same address: looking for them takes seconds.
    const undetected = ["all", "default"].map((which) => `net.ipv6.conf.${which}.accept_dad=0`);
    await succeed("nsenter", [`--net=${path}`, "sysctl", "-qw", ...undetected]);
    await this.ip(path, "link set lo up");
    return path;
  }

  /** Takes away a namespace, and what is in it. */
  async remove(path: string): Promise<void> {
    const name = path.slice(path.lastIndexOf("/") + 1);
    this.#names.splice(this.#names.indexOf(name), 1);
    await succeed("ip", ["netns", "del", name]);
  }

  /** Commands of `ip`, in one go. */
  async ip(namespace: string, ...commands: readonly string[]): Promise<string> {
    return this.batch("ip", namespace, commands);
  }

  async tc(namespace: string, ...commands: readonly string[]): Promise<string> {
    return this.batch("tc", namespace, commands);
  }

  async batch(program: string, namespace: string, commands: readonly string[]): Promise<string> {
    const input = `${commands.join("\n")}\n`;
    return succeed("nsenter", [`--net=${namespace}`, program, "-batch", "-"], input);
  }

  /** A pair of virtual Ethernet cards, one in each namespace, up and addressed. */
  async veth(one: VethEnd, other: VethEnd): Promise<void> {
    const base = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
    const args = ["link", "add", one.name, "netns", base(one.namespace), "type", "veth"];
    await succeed("ip", [...args, "peer", "name", other.name, "netns", base(other.namespace)]);
    for (const { namespace, name, addresses, mtu = 1500 } of [one, other]) {
      const v6 = (address: string): string => (address.includes(":") ? "nodad" : "brd +");
      await this.ip(
        namespace,
        `link set dev ${name} mtu ${String(mtu)}`,
        // Without addresses means without one that the kernel makes, too.
        ...(addresses.length === 0 ? [`link set dev ${name} addrgenmode none`] : []),
        ...addresses.map((address) => `addr add ${address} dev ${name} ${v6(address)}`),
        `link set dev ${name} up`,
      );
    }
    for (const { namespace, name, addresses } of [one, other])
      if (addresses.length > 0) await this.settled(namespace, name);
  }

  /** Runs a program to its end in a namespace. */
  run(namespace: string, file: string, ...args: readonly string[]): Promise<CommandResult> {
    return runCommand("nsenter", [`--net=${namespace}`, file, ...args]);
  }

  /** One end of test traffic, to its end. @returns what it printed */
  async peer(namespace: string, ...args: readonly string[]): Promise<string> {
    return succeed("nsenter", [`--net=${namespace}`, "python3", PEER, ...args]);
  }

  /** One that stays until the end of the test; returns when it is ready. */
  async serve(namespace: string, ...args: readonly string[]): Promise<void> {
    const child = spawn("nsenter", [`--net=${namespace}`, "python3", PEER, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#programs.push(child);
    await once(child.stdout, "data");
  }

  /** Everything that an engine owns in a namespace, as text to compare. */
  async snapshot(namespace: string): Promise<string> {
    const links = await this.ip(
      namespace,
      "link show",
      "addr show",
      "route show table all",
      "neigh show nud permanent",
    );
    const qdiscs = await this.tc(namespace, "qdisc show");
    const devices = [...links.matchAll(/^\d+: ([^:@]+)/gm)].map(([, name]) => name ?? "");
    // One of them may be on its way out.
    const questions = [...new Set(devices)].map((name) => `filter show dev ${name} ingress\n`);
    const input = questions.join("");
    const args = [`--net=${namespace}`, "tc", "-force", "-batch", "-"];
    const filters = (await runCommand("nsenter", args, { input })).stdout;
    const forever = /valid_lft \S+ preferred_lft \S+/g;
    return [links.replaceAll(forever, ""), qdiscs, filters].join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#programs) {
      const ended = once(child, "close");
      child.kill("SIGKILL");
      await ended;
    }
    for (const name of this.#names) await succeed("ip", ["netns", "del", name]);
  }

  /** The kernel gives a link-local address once both ends are up, and then looks for duplicates. */
  async settled(namespace: string, name: string): Promise<void> {
    for (;;) {
      const shown = await succeed("nsenter", [`--net=${namespace}`, "ip", "-6", "addr", "show", "dev", name]);
      if (shown.includes("scope link") && !shown.includes("tentative")) return;
    }
  }
}

export interface VethEnd {
  readonly namespace: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly mtu?: number;
}

async function succeed(file: string, args: readonly string[], input?: string): Promise<string> {
  const result = await runCommand(file, args, input === undefined ? {} : { input });
  if (result.exitCode !== 0) throw new Error(`${file} ${args.join(" ")} ${input ?? ""}: ${result.stderr}`);
  return result.stdout;
}
