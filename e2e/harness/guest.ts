import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type AgentClient, connectAgent } from "@kata-ts/agent-protocol";
import { AGENT_SERIAL_PORT, AgentLog, AgentParameter } from "@kata-ts/agent-protocol/guest-contract";
import { spawnTied, Tail, type TiedProcess } from "@kata-ts/linux";
import { Relay } from "@kata-ts/proxy";
import { qemuArgv, type VmConfig } from "@kata-ts/qemu-driver";
import { SHARE } from "./paths.ts";

/** A bare guest: QEMU and the agent, driven directly. For tests of the agent and of the boot. */
export class BareGuest implements AsyncDisposable {
  readonly directory: string = mkdtempSync("/run/kata-e2e-guest-");
  readonly console: Tail = new Tail(1024 * 1024);
  readonly config: VmConfig;
  readonly qemu: TiedProcess;
  readonly #port: string = join(this.directory, "agent.sock");
  readonly #undo: (() => void)[] = [];
  #relay: Relay | undefined;
  #connections = 0;

  constructor(change: Partial<VmConfig> = {}) {
    this.config = {
      name: "bare",
      qemuPath: "/usr/bin/qemu-system-x86_64",
      accelerator: "tcg",
      vcpus: 1,
      memoryMiB: 512,
      kernelPath: join(SHARE, "vmlinux"),
      imagePath: join(SHARE, "rootfs.ext4"),
      qmpSocket: join(this.directory, "qmp.sock"),
      serialPort: { name: AGENT_SERIAL_PORT, socket: this.#port },
      rootPorts: 2,
      ...change,
      kernelParams: [`${AgentParameter.jit}=off`, ...(change.kernelParams ?? [])],
    };
    this.qemu = spawnTied(this.config.qemuPath, qemuArgv(this.config), ["ignore", "pipe", "pipe"]);
    for (const stream of [this.qemu.child.stdout, this.qemu.child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.console.push(chunk);
      });
    }
  }

  /** Connects through a relay, as the runtime does, and waits for the first answer. */
  async connect(): Promise<AgentClient> {
    // A name of its own for each connection: a closing listener still removes its path.
    this.#connections += 1;
    const listenSocket = join(this.directory, `proxy-${String(this.#connections)}.sock`);
    this.#relay = await Relay.start({ listenSocket, muxSocket: this.#port });
    const agent = connectAgent(`unix://${listenSocket}`);
    await agent.check({}, { waitForReady: true, deadlineMs: 60_000 });
    return agent;
  }

  /**
   * The host's side of the channel goes away. Resolves when the agent has noticed: it cannot tell a host that comes back
   * before that from one that never left, and answers its new session with a go-away.
   */
  async disconnect(): Promise<void> {
    const gone = AgentLog.disconnected;
    const count = (): number => this.console.text().split(gone).length;
    const before = count();
    this.#relay?.close();
    this.#relay = undefined;
    while (count() === before) await once(this.qemu.child.stdout ?? this.qemu.child, "data");
  }

  /** To be done when the guest is gone. */
  onEnd(undo: () => void): void {
    this.#undo.push(undo);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#relay?.close();
    this.qemu.child.kill("SIGKILL");
    await this.qemu.exited;
    for (const undo of this.#undo) undo();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
