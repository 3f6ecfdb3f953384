import { invalidArgument, nodeError } from "./errors.ts";
import { inspect } from "./inspect.ts";
import process from "./process.ts";

interface OptionConfig {
  readonly type: "string" | "boolean";
  /** One character. */
  readonly short?: string;
  readonly multiple?: boolean;
  readonly default?: unknown;
}

type OptionTable = Readonly<Record<string, OptionConfig>>;

interface OptionToken {
  readonly kind: "option";
  /** The long name; the short one where there is no long one. */
  readonly name: string;
  /** As it was given, with its dashes. */
  readonly rawName: string;
  readonly index: number;
  readonly value?: string;
  /** Whether the value is in the same argument; absent without a value. */
  readonly inlineValue?: boolean;
}

type Token =
  | OptionToken
  | { readonly kind: "positional"; readonly index: number; readonly value: string }
  | { readonly kind: "option-terminator"; readonly index: number };

interface Config {
  readonly args?: readonly string[];
  readonly options?: OptionTable;
  readonly strict?: boolean;
  readonly allowPositionals?: boolean;
  readonly tokens?: boolean;
}

interface Parsed {
  readonly values: Record<string, unknown>;
  readonly positionals: string[];
  readonly tokens?: Token[];
}

/** `util.parseArgs`, with Node's errors; without negative options. */
export function parseArgs(config: Config = {}): Parsed {
  const {
    args = process.argv.slice(2),
    options = {},
    strict = true,
    allowPositionals = !strict,
    tokens: wanted,
  } = config;
  if ("allowNegative" in config) {
    throw nodeError("ERR_FEATURE_UNAVAILABLE_ON_PLATFORM", "allowNegative is not in packages/quickjs", TypeError);
  }
  for (const [name, { type, short }] of Object.entries(options)) check(name, type, short);
  const values = Object.create(null) as Record<string, unknown>;
  const positionals: string[] = [];
  const tokens = tokensOf(args, options);
  for (const token of tokens) {
    if (token.kind === "option") {
      if (strict) checkOption(token, configOf(options, token.name), allowPositionals);
      store(values, token, configOf(options, token.name)?.multiple === true);
    } else if (token.kind === "positional") {
      if (!allowPositionals) throw unexpected(token.value);
      positionals.push(token.value);
    }
  }
  for (const [name, option] of Object.entries(options)) {
    if (option.default !== undefined) values[name] ??= option.default;
  }
  return wanted === true ? { values, positionals, tokens } : { values, positionals };
}

function tokensOf(args: readonly string[], options: OptionTable): Token[] {
  const tokens: Token[] = [];
  let index = 0;
  /** The value is what is behind the name, or else the next argument. */
  const addOption = (name: string, rawName: string, inline: string | undefined): void => {
    const token = { kind: "option", name, rawName, index } as const;
    const value = inline ?? (takesValue(options, name) ? args[index + 1] : undefined);
    if (value === undefined) {
      tokens.push(token);
      return;
    }
    tokens.push({ ...token, value, inlineValue: inline !== undefined });
    if (inline === undefined) index += 1;
  };
  for (; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    if (arg === "--") {
      tokens.push({ kind: "option-terminator", index });
      for (index += 1; index < args.length; index += 1)
        tokens.push({ kind: "positional", index, value: args[index] ?? "" });
    } else if (arg.startsWith("--")) {
      const equal = arg.indexOf("=", 3);
      const name = arg.slice(2, equal === -1 ? undefined : equal);
      addOption(name, `--${name}`, equal === -1 ? undefined : arg.slice(equal + 1));
    } else if (arg.startsWith("-") && arg.length > 1) {
      for (const { name, rawName, inline } of shortOptions(arg, options)) addOption(name, rawName, inline);
    } else {
      tokens.push({ kind: "positional", index, value: arg });
    }
  }
  return tokens;
}

/** `-abcVALUE` is `-a -b -c VALUE` where c takes a value, and a and b take none. */
function shortOptions(arg: string, options: OptionTable): { name: string; rawName: string; inline?: string }[] {
  const found: { name: string; rawName: string; inline?: string }[] = [];
  for (let at = 1; at < arg.length; at += 1) {
    const short = arg.charAt(at);
    const name = Object.keys(options).find((long) => options[long]?.short === short) ?? short;
    const rawName = `-${short}`;
    if (takesValue(options, name) && at < arg.length - 1) {
      found.push({ name, rawName, inline: arg.slice(at + 1) });
      break;
    }
    found.push({ name, rawName });
  }
  return found;
}

function configOf(options: OptionTable, name: string): OptionConfig | undefined {
  return Object.hasOwn(options, name) ? options[name] : undefined;
}

function takesValue(options: OptionTable, name: string): boolean {
  return configOf(options, name)?.type === "string";
}

function store(values: Record<string, unknown>, { name, value = true as never }: OptionToken, multiple: boolean): void {
  if (name === "__proto__") return;
  const before = values[name];
  if (!multiple) values[name] = value;
  else if (Array.isArray(before)) before.push(value);
  else values[name] = [value];
}

/** @throws TypeError for a type or a short name that is none */
function check(name: string, type: unknown, short: unknown): void {
  if (type !== "string" && type !== "boolean") {
    throw invalidArgument(`options.${name}.type`, "one of: ('string|boolean')", type);
  }
  if (short === undefined || (typeof short === "string" && short.length === 1)) return;
  const message = `The argument 'options.${name}.short' must be a single character. Received ${inspect(short)}`;
  throw nodeError("ERR_INVALID_ARG_VALUE", message, TypeError);
}

/** @throws TypeError for an option that is not known, or whose value is missing, too much or may be another option */
function checkOption(
  { name, rawName, value, inlineValue }: OptionToken,
  config: OptionConfig | undefined,
  positionals: boolean,
): void {
  if (config === undefined) {
    const hint = `. To specify a positional argument starting with a '-', place it at the end of the command after '--', as in '-- "${rawName}"`;
    throw nodeError(
      "ERR_PARSE_ARGS_UNKNOWN_OPTION",
      `Unknown option '${rawName}'${positionals ? hint : ""}`,
      TypeError,
    );
  }
  const names = `${config.short === undefined ? "" : `-${config.short}, `}--${name}`;
  if (config.type === "string" && value === undefined) throw wrongValue(`Option '${names} <value>' argument missing`);
  if (config.type === "boolean" && value !== undefined) throw wrongValue(`Option '${names}' does not take an argument`);
  if (inlineValue !== false || value === undefined || value.length < 2 || !value.startsWith("-")) return;
  const example = rawName.startsWith("--") ? `'${rawName}=-XYZ'` : `'--${name}=-XYZ' or '${rawName}-XYZ'`;
  throw wrongValue(`Option '${rawName}' argument is ambiguous.
Did you forget to specify the option argument for '${rawName}'?
To specify an option argument starting with a dash use ${example}.`);
}

function wrongValue(message: string): Error {
  return nodeError("ERR_PARSE_ARGS_INVALID_OPTION_VALUE", message, TypeError);
}

function unexpected(argument: string): Error {
  const message = `Unexpected argument '${argument}'. This command does not take positional arguments`;
  return nodeError("ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL", message, TypeError);
}
