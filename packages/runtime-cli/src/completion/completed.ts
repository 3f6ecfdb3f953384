import { GLOBAL_OPTIONS } from "../arguments/globals.ts";
import type { OptionTable } from "../arguments/parse.ts";
import type { CommandTable } from "../context.ts";

/** A command as a shell completes it. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** Its first operand is a container. */
  readonly takesContainer: boolean;
}

export interface CompletedOption {
  readonly name: string;
  readonly short?: string;
  readonly about: string;
  readonly takesValue: boolean;
}

/** What a shell calls to complete containers. */
export const LIST_CONTAINERS = "kata-runtime list --quiet 2>/dev/null";

/** Every command has it. */
const HELP: OptionTable = { help: { type: "boolean", about: "show how it is called" } };

export const GLOBALS: readonly CompletedOption[] = optionsOf(GLOBAL_OPTIONS);

/** Every command, as its own manual describes it. */
export async function completedCommands(commands: CommandTable): Promise<CompletedCommand[]> {
  return Promise.all(
    Object.entries(commands).map(async ([name, { summary, load }]) => {
      const { operands, options } = (await load()).manual;
      return { name, summary, options: optionsOf(options), takesContainer: operands.startsWith("CONTAINER") };
    }),
  );
}

function optionsOf(table: OptionTable): CompletedOption[] {
  return Object.entries({ ...HELP, ...table }).map(([name, { short, about, type }]) => ({
    name,
    ...(short === undefined ? {} : { short }),
    about,
    takesValue: type === "string",
  }));
}
