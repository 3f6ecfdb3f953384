import { GLOBAL_OPTIONS } from "../arguments/globals.ts";
import type { OptionTable } from "../arguments/parse.ts";
import type { CommandTable } from "../context.ts";

/** What the operands of a command can name. */
type Named = "containers" | "images";

/** A program as a shell completes it. */
export interface CompletedProgram {
  readonly name: string;
  readonly commands: readonly CompletedCommand[];
  readonly globals: readonly CompletedOption[];
  /** What a shell calls to list them, a line each. */
  readonly lists: Readonly<Partial<Record<Named, string>>>;
}

/** A command as a shell completes it. */
interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  readonly takes: readonly Named[];
  /** What its first operand can be, where that is a choice: `df|prune`. */
  readonly words: readonly string[];
}

export interface CompletedOption {
  readonly name: string;
  readonly short?: string;
  readonly about: string;
  readonly takesValue: boolean;
}

/** How manuals begin to describe operands that name something. */
const OPERANDS: readonly (readonly [start: string, named: readonly Named[]])[] = [
  ["CONTAINER", ["containers"]],
  ["NAME-OR-IMAGE", ["containers", "images"]],
  ["NAME", ["containers"]],
  ["IMAGE", ["images"]],
];

/** Every command has it. */
const HELP: OptionTable = { help: { type: "boolean", about: "show how it is called" } };

/** A program with every command, as its own manual describes it. */
export async function completedProgram(
  name: string,
  commands: CommandTable,
  lists: CompletedProgram["lists"],
): Promise<CompletedProgram> {
  const completed = Object.entries(commands).map(async ([command, { summary, load }]) => {
    const { operands, options } = (await load()).manual;
    const takes = (OPERANDS.find(([start]) => operands.startsWith(start))?.[1] ?? []).filter((each) => each in lists);
    const [choice = ""] = operands.split(" ");
    const words = /^[a-z]+(\|[a-z]+)+$/.test(choice) ? choice.split("|") : [];
    return { name: command, summary, options: optionsOf(options), takes, words };
  });
  return { name, commands: await Promise.all(completed), globals: optionsOf(GLOBAL_OPTIONS), lists };
}

/** A part of the names of a script's functions. */
export function identifier({ name }: CompletedProgram): string {
  return name.replaceAll("-", "_");
}

function optionsOf(table: OptionTable): CompletedOption[] {
  return Object.entries({ ...HELP, ...table }).map(([name, { short, about, type }]) => ({
    name,
    ...(short === undefined ? {} : { short }),
    about,
    takesValue: type === "string",
  }));
}
