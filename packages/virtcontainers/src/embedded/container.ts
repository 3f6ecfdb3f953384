import { randomUUID } from "node:crypto";
import type { Readable, Writable } from "node:stream";
import { processToMessage } from "@kata-ts/agent-protocol";
import { openProcessStreams, waitForProcess } from "@kata-ts/shim";
import type { ContainerId } from "../identifiers.ts";
import type { Agent } from "../ports/agent.ts";
import { asked } from "../sandbox/create.ts";
import { defaultSpec, type ProcessDefaults } from "./default-spec.ts";

/** A process in the guest, with its streams. */
export interface GuestProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The exit status, or 128 + signal. Read both outputs to their ends first: they go with the process. */
  wait(signal?: AbortSignal): Promise<number>;
  /** @param signal by number */
  kill(signal: number): Promise<void>;
}

/** A container of a sandbox. Disposing it ends its processes and removes it. */
export class Container implements AsyncDisposable {
  readonly id: ContainerId;
  readonly #agent: Agent;
  readonly #unshare: () => Promise<void>;

  constructor(id: ContainerId, agent: Agent, unshare: () => Promise<void>) {
    this.id = id;
    this.#agent = agent;
    this.#unshare = unshare;
  }

  /** Lets the container's first process run. */
  async start(): Promise<GuestProcess> {
    const process = this.#process(this.id);
    await asked(`start container ${this.id}`, this.#agent.startContainer({ container_id: this.id }));
    return process;
  }

  /** Runs another process in it. */
  async exec(options: ProcessDefaults): Promise<GuestProcess> {
    const execId = randomUUID();
    const { process } = defaultSpec(options);
    const request = { container_id: this.id, exec_id: execId, process: processToMessage(process ?? { cwd: "/" }) };
    await asked(`exec in container ${this.id}`, this.#agent.execProcess(request));
    return this.#process(execId);
  }

  async pause(): Promise<void> {
    await asked(`pause container ${this.id}`, this.#agent.pauseContainer({ container_id: this.id }));
  }

  async resume(): Promise<void> {
    await asked(`resume container ${this.id}`, this.#agent.resumeContainer({ container_id: this.id }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await asked(`remove container ${this.id}`, this.#agent.removeContainer({ container_id: this.id }));
    await this.#unshare();
  }

  #process(execId: string): GuestProcess {
    const address = { containerId: this.id, execId };
    const streams = openProcessStreams(this.#agent, address);
    return {
      ...streams,
      wait: (signal) => waitForProcess(this.#agent, address, signal),
      kill: async (signal) => {
        await this.#agent.signalProcess({ container_id: this.id, exec_id: execId, signal });
      },
    };
  }
}
