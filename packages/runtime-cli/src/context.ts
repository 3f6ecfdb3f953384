import type { RuntimeContext } from "@kata-ts/runtime";
import type { GlobalArguments } from "./arguments/globals.ts";
import type { Manual } from "./arguments/manual.ts";

/** A verb: its arguments to an exit status. */
export type Verb = (args: readonly string[], context: Context) => Promise<number>;

export interface Command {
  /** One line, for `--help`. */
  readonly summary: string;
  /** Kata's name for it. */
  readonly alias?: string;
  /** Its code is loaded only when it is called. */
  readonly load: () => Promise<{ readonly verb: Verb; readonly manual: Manual }>;
}

export type CommandTable = Readonly<Record<string, Command>>;

/** What a verb works with. */
export interface Context extends RuntimeContext {
  /** Every verb there is. */
  readonly commands: CommandTable;
  readonly globals: GlobalArguments;
}
