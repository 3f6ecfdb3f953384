import type { OptionTable } from "./parse.ts";

/** How a verb is called: what `VERB --help` shows, and what shells complete. */
export interface Manual {
  /** What stands after the options, such as `CONTAINER [SIGNAL]`. */
  readonly operands: string;
  readonly options: OptionTable;
  /** What else is to know, a line each. */
  readonly notes?: readonly string[];
  /** Calls that work, after the program's name. */
  readonly examples?: readonly string[];
}
