import type { EndCause, ServedProcess } from "@kata-ts/agent-protocol/process-stream";
import { killProcesses, oomKillsIn } from "../guest/cgroup.ts";
import type { ProcessEnd, Reaper } from "../reaper.ts";
import { killSession } from "./kill-session.ts";
import type { ProcessStdio } from "./stdio.ts";

export interface ProcessNames {
  readonly execId: string;
  /** In the guest's numbering. */
  readonly pid: number;
}

const SIGKILL_STATUS = 137;
/** Of each output of a process that no stream is there for: the guest's memory is small. */
const KEPT_BYTES = 256 * 1024;

/** Where a process runs. */
export interface ProcessPlace {
  /** Of its container, below /sys/fs/cgroup. */
  readonly containerCgroup: string;
  /** Holds the process and all that it starts, and nothing else; undefined where others of the container are in it, too. */
  readonly ownCgroup: string | undefined;
  /** Processes of the container that had been killed for want of memory before this one began. */
  readonly oomKills: number;
}

/** A process of a container that the agent started, from its start until the host has its exit status. */
export class ContainerProcess {
  readonly pid: number;
  readonly stdio: ProcessStdio;
  /** Exit status, or 128 + signal. */
  readonly exited: Promise<number>;
  readonly ownCgroup: string | undefined;
  #running = true;
  #cause: EndCause | undefined;
  #execId: string;

  constructor({ execId, pid }: ProcessNames, place: ProcessPlace, stdio: ProcessStdio, reaper: Reaper) {
    this.#execId = execId;
    this.pid = pid;
    this.stdio = stdio;
    this.ownCgroup = place.ownCgroup;
    this.exited = reaper.end(pid).then((end) => {
      this.#running = false;
      this.#cause = causeOf(end, place);
      stdio.stdout.processEnded();
      stdio.stderr?.processEnded();
      return end.status;
    });
  }

  get execId(): string {
    return this.#execId;
  }

  rename(execId: string): void {
    this.#execId = execId;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Known once it has exited. */
  get cause(): EndCause | undefined {
    return this.#cause;
  }

  /** Kills it with all that it has started: its control group, or else its session and descendants. */
  killAll(): void {
    if (this.ownCgroup !== undefined) killProcesses(this.ownCgroup);
    if (this.#running) killSession(this.pid);
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
    const cause = (): EndCause | undefined => this.#cause;
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
        this.killAll();
      },
      resize: (rows, columns) => this.stdio.resize?.({ rows, columns }),
      // The kernel does the rest, as when a real terminal goes away.
      hangUp: () => {
        if (this.stdio.resize !== undefined) stdout.destroy();
      },
      letGo: () => {
        stdout.keepLast(KEPT_BYTES);
        stderr?.keepLast(KEPT_BYTES);
      },
      exited: this.exited,
      get cause() {
        return cause();
      },
      forget,
    };
  }
}

/** The kernel counts a process that it kills for want of memory before it kills it. */
function causeOf({ status, isSignalled }: ProcessEnd, { containerCgroup, oomKills }: ProcessPlace): EndCause {
  if (!isSignalled) return "exited";
  return status === SIGKILL_STATUS && (oomKillsIn(containerCgroup) ?? 0) > oomKills ? "outOfMemory" : "signalled";
}
