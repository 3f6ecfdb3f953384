import type { Readable, Writable } from "node:stream";

/** Where a process's streams go, as its creator says: paths of fifos, or URLs of loggers. Empty is nowhere. */
export interface StdioRequest {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
}

/** The host's side of a process's streams. */
export interface TaskStdio {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** No more input comes once the writers that there are have closed it. */
  closeStdin(): void;
  /** Lets go of all; what a reader has not read by then stays its own where it is there, and is lost where not. */
  close(): Promise<void>;
}
