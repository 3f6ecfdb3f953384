import { type GuestProcess, KataError, LocalShim, type Shim } from "@kata-ts/virtcontainers";

/** How a process has ended. */
export interface Exit {
  /** 0 to 255; 128 + N for one that signal N ended, 255 for one whose guest was lost. */
  readonly status: number;
  readonly at: Date;
}

/** What the processes of a container have as their status that have not ended by themselves when their VM is ended on purpose. */
export interface EndOfVm {
  status?: number;
}

/** Names a process of a pod, and has what it shares with the others of its container, also with those that are made later. */
interface PodProcessOrigin {
  readonly containerId: string;
  readonly execId?: string;
  readonly endOfVm: EndOfVm;
}

/** A process of a pod, with its streams. Both outputs are to be read to their ends: a process whose output is not read waits. */
export class PodProcess {
  readonly containerId: string;
  /** Undefined for a container's first process. */
  readonly execId: string | undefined;
  /** On the host: this process, which stands in for all processes of the guest. */
  readonly pid: number = process.pid;
  /** Fails with EPIPE once the process has closed its standard input. */
  readonly stdin: GuestProcess["stdin"];
  readonly stdout: GuestProcess["stdout"];
  /** Ends at once for a process with a terminal: all its output is on stdout. */
  readonly stderr: GuestProcess["stderr"];
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  readonly #guest: GuestProcess;
  #exit: Exit | undefined;

  /**
   * @param shim a LocalShim that has connected
   * @param onExit is done before anything that waits for the process learns of its end
   */
  constructor(
    { containerId, execId, endOfVm }: PodProcessOrigin,
    shim: Shim,
    onExit: (exit: Exit, isLost: boolean) => Promise<void>,
  ) {
    const guest = shim instanceof LocalShim ? shim.guest : undefined;
    if (guest === undefined) throw new KataError("KATA_SHIM", `a process of ${containerId} has no streams here`);
    this.containerId = containerId;
    this.execId = execId;
    this.#guest = guest;
    ({ stdin: this.stdin, stdout: this.stdout, stderr: this.stderr } = guest);
    this.exited = shim.exited.then(async (status) => {
      const isLost = shim instanceof LocalShim && shim.isLost;
      const exit = { status: isLost ? (endOfVm.status ?? status) : status, at: new Date() };
      await onExit(exit, isLost);
      this.#exit = exit;
      return exit;
    });
  }

  /** Undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** @param signal by number. A process that has ended counts as signalled. */
  async kill(signal: number): Promise<void> {
    await this.#guest.kill(signal);
  }

  /** Only for a process with a terminal. */
  resize(size: { readonly rows: number; readonly columns: number }): void {
    this.#guest.resize(size);
  }

  /** This output has no reader any more: the process learns it as from a pipe. */
  readerGone(output: "stdout" | "stderr"): void {
    this.#guest.readerGone(output);
  }

  /** Gives up its streams. A process that still runs is killed, where the agent has streams of processes. */
  close(): void {
    this.#guest[Symbol.dispose]();
  }
}
