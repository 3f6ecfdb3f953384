import { AGENT_LOG_PREFIX, AgentLog } from "@kata-ts/agent-protocol/guest-contract";
import { Tail } from "@kata-ts/linux";
import { Relay } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import type { SavableMachine, Vmm } from "../ports/vmm.ts";
import { serialAgentUrl, type VmDirectory } from "../vm/vm-directory.ts";
import type { SavedGuest } from "./saved-guest.ts";

const CONSOLE_BYTES = 64 * 1024;
const SHOWN_LINES = 10;
/** What the agent says when it waits for the next host: a clone's has to find it so. */
const DISCONNECTED = `${AGENT_LOG_PREFIX}${AgentLog.disconnected}`;
const DISCONNECT_DEADLINE_MS = 10_000;

/** A guest that is booted only to be saved: its machine and the channel to its agent, which end with this process. */
export class TemplateGuest implements AsyncDisposable {
  readonly agentUrl: string;
  /** Rejects when the machine ends. */
  readonly lost: Promise<never>;
  readonly #machine: SavableMachine;
  readonly #relay: Relay;
  readonly #console = new Tail(CONSOLE_BYTES);
  readonly #stderr = new Tail(CONSOLE_BYTES);
  readonly #hostLeft = Promise.withResolvers<void>();

  private constructor(machine: SavableMachine, relay: Relay, agentUrl: string) {
    this.#relay = relay;
    this.#machine = machine;
    this.agentUrl = agentUrl;
    machine.console.on("data", (chunk: Buffer) => {
      this.#console.push(chunk);
      if (this.#console.text().includes(DISCONNECTED)) this.#hostLeft.resolve();
    });
    machine.stderr.on("data", (chunk: Buffer) => {
      this.#stderr.push(chunk);
    });
    this.lost = machine.exited.then(() => {
      const said = [...this.#stderr.lines(SHOWN_LINES), ...this.#console.lines(SHOWN_LINES)].join(" | ");
      throw new KataError("KATA_BOOT", `the guest that a template was to be made of ended: ${said}`);
    });
    this.lost.catch(() => undefined);
  }

  /** @throws QemuError, LinuxError; nothing is left then */
  static async start(vmm: Vmm, directory: VmDirectory, accelerator: string): Promise<TemplateGuest> {
    const machine = await vmm.startToSave({ name: "template", directory }, accelerator);
    try {
      const relay = await Relay.start({ listenSocket: directory.proxySocket, muxSocket: directory.agentSocket });
      return new TemplateGuest(machine, relay, serialAgentUrl(directory));
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Lets go of the agent, stops the guest, and writes it down. It is of no further use. */
  async save(template: SavedGuest): Promise<void> {
    this.#relay.close();
    await withDeadline(this.#hostLeft.promise);
    await this.#machine.save(template);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#relay.close();
    await this.#machine[Symbol.asyncDispose]();
  }
}

async function withDeadline(done: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new KataError("KATA_AGENT", "the agent did not notice that its host has left"));
  }, DISCONNECT_DEADLINE_MS);
  try {
    await Promise.race([done, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
