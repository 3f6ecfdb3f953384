import type { Reaper } from "../reaper.ts";
import type { ProcessPipes } from "./stdio.ts";

/** A process of a container that the agent started, from its start until somebody has its exit status. */
export class GuestProcess {
  readonly execId: string;
  readonly pid: number;
  readonly pipes: ProcessPipes;
  /** Exit status, or 128 + signal. */
  readonly exited: Promise<number>;
  #running = true;

  constructor(execId: string, pid: number, pipes: ProcessPipes, reaper: Reaper) {
    this.execId = execId;
    this.pid = pid;
    this.pipes = pipes;
    this.exited = reaper.wait(pid).then((status) => {
      this.#running = false;
      pipes.stdout.processEnded();
      pipes.stderr.processEnded();
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

  closePipes(): void {
    this.pipes.stdin.destroy();
    this.pipes.stdout.destroy();
    this.pipes.stderr.destroy();
  }
}
