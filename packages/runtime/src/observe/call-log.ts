import type { SystemLog } from "./system-log.ts";

/** The log of an entry point: a file of an engine's, a pipe of containerd's, or standard error. */
export interface CallLog {
  debug(message: string): void;
  warning(message: string): void;
  /** Entries of level debug are written from now on: the configuration asks for them. */
  enableDebug(): void;
  /** Fields of every later entry, such as `container`. */
  about(fields: Readonly<Record<string, string>>): void;
  /** Later entries go to the host's log, too. */
  alsoTo(system: SystemLog): void;
}
