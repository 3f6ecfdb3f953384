import type { ServedProcess } from "@kata-ts/agent-protocol/process-stream";
import type { Reaper } from "../reaper.ts";
import { killSession } from "./kill-session.ts";
import type { ProcessStdio } from "./stdio.ts";

export interface ProcessNames {
  readonly containerId: string;
  readonly execId: string;
  /** In the guest's numbering. */
  readonly pid: number;
}

/** A process of a container that the agent started, from its start until the host has its exit status. */
export class ContainerProcess {
  readonly containerId: string;
  readonly execId: string;
  readonly pid: number;
  readonly stdio: ProcessStdio;
  /** Exit status, or 128 + signal. */
  readonly exited: Promise<number>;
  #running = true;

  constructor({ containerId, execId, pid }: ProcessNames, stdio: ProcessStdio, reaper: Reaper) {
    this.containerId = containerId;
    this.execId = execId;
    this.pid = pid;
    this.stdio = stdio;
    this.exited = reaper.wait(pid).then((status) => {
      this.#running = false;
      stdio.stdout.processEnded();
      stdio.stderr?.processEnded();
      return status;
    });
  }

  get running(): boolean {
    return this.#running;
  }

  /** A process that is gone meanwhile counts as signalled. */
  signal(signal: number): void {
    if (!this.#running) return;
    try {
      process.kill(this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  /** The process as its stream needs it. @param forget called when the host has the exit status */
  streamed(forget: () => void): ServedProcess {
    const { stdin, stdout, stderr } = this.stdio;
    return {
      read: (descriptor, limit, signal) =>
        descriptor === 1 ? stdout.read(limit, signal) : (stderr?.read(limit, signal) ?? Promise.resolve(undefined)),
      closeOutput: (descriptor) => {
        if (descriptor === 1) stdout.destroy();
        else stderr?.destroy();
      },
      write: (pieces) => stdin.write(...pieces),
      closeInput: () => {
        stdin.end();
      },
      signal: (signal) => {
        this.signal(signal);
      },
      killSession: () => {
        if (this.#running) killSession(this.pid);
      },
      resize: (rows, columns) => this.stdio.resize?.({ rows, columns }),
      // The kernel does the rest, as when a real terminal goes away.
      hangUp: () => {
        if (this.stdio.resize !== undefined) stdout.destroy();
      },
      exited: this.exited,
      forget,
    };
  }
}
