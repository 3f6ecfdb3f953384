import { randomUUID } from "node:crypto";
import { type GuestProcess, PolledProcess, StreamedProcess } from "@kata-ts/shim";
import { execInGuest } from "../container/in-guest.ts";
import type { ContainerId } from "../identifiers.ts";
import type { Agent } from "../ports/agent.ts";
import { asked } from "../sandbox/create.ts";
import { defaultSpec, type ProcessDefaults } from "./default-spec.ts";

export interface ContainerParts {
  readonly id: ContainerId;
  readonly agent: Agent;
  readonly agentUrl: string;
  /** Opens the stream of the first process; absent with an agent that has no such streams. */
  readonly token?: Uint8Array;
  /** Gives back what the guest was shown of the host. */
  readonly unshare: () => Promise<void>;
}

/** A container of a sandbox. Disposing it ends its processes and removes it. */
export class Container implements AsyncDisposable {
  readonly id: ContainerId;
  readonly #parts: ContainerParts;
  readonly #agent: Agent;

  constructor(parts: ContainerParts) {
    this.id = parts.id;
    this.#parts = parts;
    this.#agent = parts.agent;
  }

  /** Lets the container's first process run. */
  async start(): Promise<GuestProcess> {
    const process = await this.#process(this.id, this.#parts.token);
    await asked(`start container ${this.id}`, this.#agent.startContainer({ container_id: this.id }));
    return process;
  }

  /** Runs another process in it. */
  async exec(options: ProcessDefaults): Promise<GuestProcess> {
    const execId = randomUUID();
    const { process = { cwd: "/" } } = defaultSpec(options);
    const names = { container_id: this.id, exec_id: execId };
    const { token } = await asked(`exec in container ${this.id}`, execInGuest(this.#agent, names, process));
    return this.#process(execId, token);
  }

  async pause(): Promise<void> {
    await asked(`pause container ${this.id}`, this.#agent.pauseContainer({ container_id: this.id }));
  }

  async resume(): Promise<void> {
    await asked(`resume container ${this.id}`, this.#agent.resumeContainer({ container_id: this.id }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await asked(`remove container ${this.id}`, this.#agent.removeContainer({ container_id: this.id }));
    await this.#parts.unshare();
  }

  async #process(execId: string, token: Uint8Array | undefined): Promise<GuestProcess> {
    if (token !== undefined) return StreamedProcess.open(this.#parts.agentUrl, token);
    return new PolledProcess(this.#agent, { containerId: this.id, execId });
  }
}
