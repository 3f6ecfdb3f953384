import type { Readable, Writable } from "node:stream";
import type { EndCause, TerminalSize } from "@kata-ts/agent-protocol/process-stream";

/** A process in a guest, by the names that the agent knows it under. */
export interface ProcessAddress {
  readonly containerId: string;
  readonly execId: string;
}

/** A process in a guest, with its streams. */
export interface GuestProcess extends Disposable {
  /** Fails with EPIPE once the process has closed its standard input. */
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Ends at once for a process with a terminal: all its output is on stdout. */
  readonly stderr: Readable;
  /**
   * The exit status, or 128 + signal. Read both outputs to their ends first: they go with the process.
   *
   * @throws when the guest is lost before the process ended
   */
  wait(signal?: AbortSignal): Promise<number>;
  /** Known once `wait` has resolved; undefined with an agent that does not say. */
  readonly cause: EndCause | undefined;
  /** @param signal by number. A process that is over counts as signalled. */
  kill(signal: number): Promise<void>;
  /**
   * Kills it with the processes that it has started: all of its control group where it has one of its own, or else as far as the
   * agent can find them; with an agent that cannot, it alone.
   */
  killSession(): void;
  /** Only for a process with a terminal. */
  resize(size: TerminalSize): void;
  /** The terminal on the host's side is gone. */
  hangUp(): void;
  /** Lets it live on without us. Resolves when the guest knows: all that waits for it here has failed then, unless it has ended before. */
  detach(): Promise<void>;
  /** Nothing reads this output any more: the process learns it as from a pipe. */
  readerGone(output: "stdout" | "stderr"): void;
}
