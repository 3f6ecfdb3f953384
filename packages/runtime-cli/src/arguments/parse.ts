import { parseArgs } from "node:util";

/** A command line that cannot be understood. */
export class UsageError extends Error {
  readonly code = "KATA_USAGE";
  override readonly name = "UsageError";
}

/** An option of a command line, as it is parsed and as it is explained. */
interface Option {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  /** What it takes, for people: `FILE`. */
  readonly value?: string;
  readonly about: string;
}

/** Options by their long names. */
export type OptionTable = Readonly<Record<string, Option>>;
type OptionValue = string | boolean | (string | boolean)[] | undefined;

/** Options by their long name, and the words that are none. */
export interface ParsedArguments {
  readonly options: Options;
  readonly words: readonly string[];
}

/** Reads options by name with the type they were declared with. */
export class Options {
  readonly #values: Readonly<Record<string, OptionValue>>;

  constructor(values: Readonly<Record<string, OptionValue>>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  list(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }
}

/** Parses options that may stand anywhere: `--x y`, `--x=y`, `-x y`. @throws UsageError */
export function parseAnywhere(args: readonly string[], options: OptionTable): ParsedArguments {
  try {
    const { values, positionals } = parseArgs({
      args: normalise(args, options),
      options,
      allowPositionals: true,
      strict: true,
    });
    return { options: new Options(values), words: positionals };
  } catch (error) {
    throw new UsageError((error as Error).message.split(". ")[0] ?? "bad arguments");
  }
}

/** Parses options up to the first word; that word and all after it are returned as they are. @throws UsageError */
export function parseLeading(args: readonly string[], options: OptionTable): ParsedArguments {
  const normalised = normalise(args, options);
  const { tokens } = parseArgs({ args: normalised, options, allowPositionals: true, strict: false, tokens: true });
  const first = tokens.find(({ kind }) => kind === "positional");
  const end = first?.index ?? normalised.length;
  const { options: parsed } = parseAnywhere(normalised.slice(0, end), options);
  const rest = normalised.slice(end);
  return { options: parsed, words: rest };
}

// Go's flag syntax also allows `--flag=true` for booleans, and one dash before a long name.
function normalise(args: readonly string[], options: OptionTable): string[] {
  const end = args.indexOf("--");
  const head = end === -1 ? args : args.slice(0, end);
  const tail = end === -1 ? [] : args.slice(end);
  const out: string[] = [];
  for (const arg of head) {
    const match = /^--?([a-z][a-z-]+)(=.*)?$/s.exec(arg);
    const option = match?.[1] === undefined ? undefined : options[match[1]];
    if (match === null || option === undefined) out.push(arg);
    else if (option.type === "boolean" && match[2] === "=true") out.push(`--${match[1] ?? ""}`);
    else if (option.type === "boolean" && match[2] === "=false") continue;
    else out.push(`--${match[1] ?? ""}${match[2] ?? ""}`);
  }
  return [...out, ...tail];
}
